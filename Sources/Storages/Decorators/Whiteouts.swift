import Platform

/// The objects in the upper storage of an overlay each of which hides a file of the lower one.
struct Whiteouts: Sendable {
    let upper: any Storage

    private static let directory = StorageName.reservedPrefix + "whiteouts/"

    /// The whiteout of a name: under its hash, because a name can be as long as names get.
    static func whiteout(of name: StorageName) throws -> StorageName {
        StorageName(unchecked: directory + (try SHA256Hasher.hash(Array(name.string.utf8))).hexadecimal)
    }

    func contains(_ name: StorageName) async throws -> Bool {
        let whiteout = try Self.whiteout(of: name)
        return try await naming(name) { try await upper.exists(whiteout) }
    }

    /// Hides a name; one that is hidden stays so.
    func insert(_ name: StorageName) async throws {
        let whiteout = try Self.whiteout(of: name)
        try await naming(name) {
            // Deletions are repeated, and where versions are kept a second whiteout would be one more of them.
            if try await upper.exists(whiteout) { return }
            let options = UploadOptions(
                ifExists: .replace,
                contentType: "text/plain; charset=utf-8",
                computesSHA256: false
            )
            _ = try await upper.upload(.string(name.string), to: whiteout, options: options)
        }
    }

    func remove(_ name: StorageName) async throws {
        let whiteout = try Self.whiteout(of: name)
        try await naming(name) { try await upper.delete(whiteout) }
    }

    /// Does something with a whiteout, whose errors then have the name that it hides.
    private func naming<Result>(_ name: StorageName, _ work: () async throws -> Result) async throws -> Result {
        do {
            return try await work()
        } catch var error as StorageError {
            error.name = name.string
            throw error
        }
    }
}

// MARK: Many at once

extension Whiteouts {
    /// The SHA-256 of a name.
    typealias Digest = SIMD32<UInt8>

    /// The hidden names, unless there are more than a number of them.
    func digests(upTo limit: Int) async throws -> Set<Digest>? {
        try await FileListing.$includesReserved.withValue(true) {
            var digests: Set<Digest> = []
            for try await file in upper.list(prefix: Self.directory) {
                let digits = file.name.string.utf8.dropFirst(Self.directory.utf8.count)
                guard let digest = Self.digest(ofDigits: digits) else { continue }
                guard digests.count < limit else { return nil }
                digests.insert(digest)
            }
            return digests
        }
    }

    static func digest(of name: StorageName) throws -> Digest {
        let bytes = try SHA256Hasher.hash(Array(name.string.utf8))
        var digest = Digest()
        for index in 0..<min(bytes.count, digest.scalarCount) { digest[index] = bytes[index] }
        return digest
    }

    /// The digest that 64 hexadecimal digits stand for; `nil` for whatever else lies there.
    private static func digest(ofDigits digits: Substring.UTF8View) -> Digest? {
        guard digits.count == 2 * Digest.scalarCount else { return nil }
        var digest = Digest()
        for (index, digit) in digits.enumerated() {
            let value: UInt8
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = digit - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = digit - UInt8(ascii: "a") + 10
            default: return nil
            }
            digest[index / 2] = digest[index / 2] << 4 | value
        }
        return digest
    }
}

/// A filter that determines which names of a listing are hidden, in constant memory.
///
/// A listing of few files asks about each; a long one lists the whiteouts once instead, which are a thousand to a
/// request.
struct WhiteoutFilter: Sendable {
    private enum Knowledge {
        case nothing
        case all(Set<Whiteouts.Digest>)
        /// There are too many whiteouts to keep.
        case tooMuch
    }

    let whiteouts: Whiteouts
    /// The number of names that are looked up one by one.
    let askedAtMost: Int
    /// The number of whiteouts that are kept in memory.
    let keptAtMost: Int
    private var asked = 0
    private var knowledge = Knowledge.nothing

    init(_ whiteouts: Whiteouts, askedAtMost: Int = 512, keptAtMost: Int = 65_536) {
        self.whiteouts = whiteouts
        self.askedAtMost = askedAtMost
        self.keptAtMost = keptAtMost
    }

    /// Returns for each name whether it is hidden.
    mutating func isHidden(_ names: [StorageName]) async throws -> [Bool] {
        if case .nothing = knowledge, asked + names.count > askedAtMost {
            knowledge = try await whiteouts.digests(upTo: keptAtMost).map { .all($0) } ?? .tooMuch
        }
        if case .all(let hidden) = knowledge {
            return try names.map { hidden.isEmpty ? false : hidden.contains(try Whiteouts.digest(of: $0)) }
        }
        asked += names.count
        return try await names.mapConcurrently(limit: 16) { [whiteouts] in try await whiteouts.contains($0) }
    }
}
