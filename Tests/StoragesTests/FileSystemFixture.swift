import Foundation
import NIOCore
import Storages

/// A directory that is removed when the fixture goes, and ways to look at it past the storage.
final class FileSystemFixture: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "/FileSystemStorageTests-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    var root: String { path + "/root" }

    func storage(
        baseURL: String? = nil,
        signingKey: [UInt8]? = nil,
        durability: FileSystemStorage.Durability = .none,
        checksSteps: Bool = false,
        makesAnonymousFiles: Bool = true,
        placements: [FileSystemProbe.Placement]? = nil,
        synchronize: (@Sendable (Int32) -> Int32)? = nil
    ) throws -> FileSystemStorage {
        var options = FileSystemOptions()
        options.platform.opensBeneath = !checksSteps
        if !makesAnonymousFiles { options.platform.placements.removeAll { $0 == .namelessLink } }
        if let placements { options.platform.placements = placements }
        options.platform.synchronize = synchronize
        return try FileSystemStorage(
            root: root,
            baseURL: baseURL,
            signingKey: signingKey,
            durability: durability,
            options: options
        )
    }

    /// Everything below the root, directories with a "/" at their end, in no order.
    func everything() throws -> Set<String> {
        var result: Set<String> = []
        for path in try FileManager.default.subpathsOfDirectory(atPath: root) {
            var isDirectory: ObjCBool = false
            _ = FileManager.default.fileExists(atPath: root + "/" + path, isDirectory: &isDirectory)
            result.insert(path + (isDirectory.boolValue ? "/" : ""))
        }
        return result
    }

    /// Everything below the root but the storage's own, empty directory.
    func remains() throws -> Set<String> {
        try everything().subtracting([".stored-files-tmp/"])
    }

    func write(_ text: String, to path: String) throws {
        let url = URL(fileURLWithPath: path)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
    }

    func link(_ path: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: target)
    }
}

extension Storage {
    /// The whole text of a file.
    func text(_ name: String) async throws -> String {
        let contents = try await open(StorageName(validating: name))
        return String(buffer: try await contents.collect(upTo: 1 << 26))
    }

    @discardableResult
    func put(_ text: String, _ name: String, ifExists: IfExists = .fail) async throws -> UploadedFile {
        try await upload(
            .string(text),
            to: StorageName(validating: name),
            options: UploadOptions(ifExists: ifExists)
        )
    }

    func names(_ prefix: String = "") async throws -> [String] {
        var names: [String] = []
        for try await file in list(prefix: prefix) { names.append(file.name.string) }
        return names
    }
}

/// So many bytes of a pattern that depends on the position, made as they are asked for.
struct PatternSource: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    let byteCount: Int64
    var chunkSize = 256 * 1024
    /// The byte at which to throw instead of going on.
    var failsAt: Int64?
    /// Called before each chunk.
    var onChunk: (@Sendable (Int64) async throws -> Void)?

    struct Refusal: Error {}

    /// A period that is no multiple of any chunk, and so many more bytes that every slice can be taken in one piece.
    private static let period = 1_048_583
    private static let pattern: ByteBuffer = {
        var state: UInt64 = 1
        var bytes = ByteBuffer()
        for _ in 0..<(period + 512 * 1024) / 8 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            bytes.writeInteger(state)
        }
        return bytes
    }()

    func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(source: self)
    }

    struct AsyncIterator: AsyncIteratorProtocol {
        let source: PatternSource
        var position: Int64 = 0

        mutating func next() async throws -> ByteBuffer? {
            guard position < source.byteCount else { return nil }
            try await source.onChunk?(position)
            if let failsAt = source.failsAt, position >= failsAt { throw Refusal() }
            let count = Int(Swift.min(Int64(source.chunkSize), source.byteCount - position))
            let chunk = PatternSource.pattern.getSlice(at: Int(position) % PatternSource.period, length: count)
            position += Int64(count)
            return chunk
        }
    }
}
