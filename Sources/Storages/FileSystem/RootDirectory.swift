#if canImport(Darwin)
    internal import Darwin
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Glibc
#endif

/// The directory that a `FileSystemStorage` lives in, opened once, and the only way down from it.
///
/// No symbolic link below the root is ever followed, whoever swaps one in and when. On Linux one `openat2` with
/// `RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS` resolves a whole name; where that call is missing or forbidden, every segment
/// is opened on its own with `O_NOFOLLOW | O_DIRECTORY`, starting at the root's descriptor.
final class RootDirectory: Sendable {
    /// How often a walk starts again after another process removed an empty directory under its feet.
    private static let attempts = 100

    let path: String
    let directoryMode: UInt32
    let synchronizes: Bool
    let descriptor: Descriptor
    private let opensBeneath: Bool

    /// Opens the directory; makes it, and the missing ones above it, when `creates`.
    ///
    /// `checksSteps` has every segment opened on its own even where `openat2` would do, for tests of that way.
    init(
        path: String,
        creates: Bool,
        directoryMode: UInt32,
        synchronizes: Bool,
        checksSteps: Bool = false
    ) throws {
        self.path = path
        self.directoryMode = directoryMode
        self.synchronizes = synchronizes
        do {
            descriptor = try Self.open(path)
        } catch let error as SystemCallError where error.isMissing && creates {
            try Self.makeDirectories(path, mode: directoryMode, synchronizes: synchronizes)
            descriptor = try Self.open(path)
        }
        opensBeneath = !checksSteps && SystemCall.canOpenBeneath(descriptor)
    }

    /// The root itself may be, and may lie behind, a symbolic link: that is the operator's choice, not a client's.
    private static func open(_ path: String) throws -> Descriptor {
        try SystemCall.open(path, in: .workingDirectory, flags: O_RDONLY | O_DIRECTORY)
    }

    private static func makeDirectories(_ path: String, mode: UInt32, synchronizes: Bool) throws {
        let segments = path.split(separator: "/", omittingEmptySubsequences: true)
        var current = try open(path.hasPrefix("/") ? "/" : ".")
        for segment in segments {
            let name = String(segment)
            if try SystemCall.makeDirectory(name, in: current, mode: mode), synchronizes {
                try SystemCall.synchronize(current)
            }
            current = try SystemCall.open(name, in: current, flags: O_RDONLY | O_DIRECTORY)
        }
    }

    // MARK: Ways down

    /// Opens what is at `name` below the root.
    func open(_ name: String, flags: Int32) throws -> Descriptor {
        if opensBeneath { return try SystemCall.openBeneath(name, in: descriptor, flags: flags) }
        return try withParent(of: name) { parent, segment in
            try SystemCall.open(segment, in: parent, flags: flags)
        }
    }

    /// Opens what is at `name` below the root if no disk has to be waited for; `nil` when that is not known.
    func openCached(_ name: String, flags: Int32) throws -> Descriptor? {
        guard opensBeneath else { return nil }
        return try SystemCall.openBeneathIfCached(name, in: descriptor, flags: flags)
    }

    /// What is at `name` below the root; a symbolic link is reported, not followed.
    func status(of name: String) throws -> FileStatus {
        try withParent(of: name) { parent, segment in
            try SystemCall.status(of: segment, in: parent)
        }
    }

    /// The directory at `path` below the root ("" is the root).
    func directory(at path: String) throws -> Descriptor {
        guard !path.isEmpty else { return try SystemCall.open(".", in: descriptor, flags: O_RDONLY | O_DIRECTORY) }
        if opensBeneath { return try SystemCall.openBeneath(path, in: descriptor, flags: O_RDONLY | O_DIRECTORY) }
        return try withSegments(of: path) { segments in
            var current = descriptor
            for segment in segments {
                current = try SystemCall.openDirectory(segment, in: current)
            }
            return current
        }
    }

    /// Calls `body` with the directory that holds the last segment of `name`, and that segment.
    func withParent<R>(of name: String, _ body: (Descriptor, UnsafePointer<CChar>) throws -> R) throws -> R {
        let parent = Self.parent(of: name[...])
        guard !parent.isEmpty else { return try body(descriptor, name) }
        let directory = try directory(at: String(parent))
        return try body(directory, String(name[name.utf8.index(after: parent.endIndex)...]))
    }

    /// Calls `body`, which makes an entry, with the directory that shall hold the last segment of `name`.
    ///
    /// Missing directories are made. When one is removed again by somebody who found it empty, the walk starts again.
    /// With `synchronizes`, the directory that got the entry and every directory that got a new one are on the medium
    /// when this returns.
    func makeEntry(
        named name: String,
        _ body: (Descriptor, UnsafePointer<CChar>) throws -> Void
    ) throws {
        try withSegments(of: name) { segments in
            for attempt in 1...Self.attempts {
                do {
                    var changed: [Descriptor] = []
                    let parent = try makeWay(along: segments.dropLast(), changed: &changed)
                    guard let last = segments.last else { throw SystemCallError(call: "openat", number: EINVAL) }
                    try body(parent, last)
                    if synchronizes {
                        try SystemCall.synchronize(parent)
                        for directory in changed.reversed() { try SystemCall.synchronize(directory) }
                    }
                    return
                } catch let error as SystemCallError where error.isMissing && attempt < Self.attempts {
                    continue
                }
            }
        }
    }

    /// Opens directory after directory and makes those that are missing; `changed` gets each that has a new entry.
    private func makeWay(
        along segments: some Sequence<UnsafePointer<CChar>>,
        changed: inout [Descriptor]
    ) throws -> Descriptor {
        var current = descriptor
        for segment in segments {
            do {
                current = try SystemCall.openDirectory(segment, in: current)
            } catch let error as SystemCallError where error.isMissing {
                if try SystemCall.makeDirectory(segment, in: current, mode: directoryMode) { changed.append(current) }
                current = try SystemCall.openDirectory(segment, in: current)
            }
        }
        return current
    }

    /// Removes what has a name, unless it is a directory; returns whether there was something.
    func removeEntry(_ name: String) throws -> Bool {
        do {
            return try withParent(of: name) { parent, segment in
                do {
                    try SystemCall.unlink(segment, in: parent)
                    return true
                } catch let error as SystemCallError where !error.isMissing {
                    // A directory: Linux says EISDIR, POSIX and Darwin EPERM.
                    if let status = try? SystemCall.status(of: segment, in: parent), status.kind == .directory {
                        return false
                    }
                    throw error
                }
            }
        } catch let error as SystemCallError where error.isMissing {
            return false
        } catch let error as SystemCallError where error.isNotADirectory {
            if case .file = firstObstacle(on: name) { return false }
            throw error
        }
    }

    /// Removes the directories above `name` that are empty, deepest first, and returns the first that is not.
    func removeEmptyParents(of name: String) -> Substring {
        var parent = Self.parent(of: name[...])
        while !parent.isEmpty {
            do {
                try withParent(of: String(parent)) { directory, segment in
                    try SystemCall.unlink(segment, in: directory, flags: AT_REMOVEDIR)
                }
            } catch let error as SystemCallError where error.isMissing {
                // Somebody else has removed it.
            } catch {
                // In use, a mount point, another owner's: it stays, nothing is lost.
                break
            }
            parent = Self.parent(of: parent)
        }
        return parent
    }

    /// "a/b" for "a/b/c", "" for "c".
    static func parent(of name: Substring) -> Substring {
        guard let slash = name.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "" }
        return name[..<slash]
    }

    // MARK: Obstacles

    /// What stands where a directory was needed.
    enum Obstacle {
        case symbolicLink(String)
        case file(String)
    }

    /// The first segment on the way to a name, or its end, that is a link, or that is a file where more follows.
    func firstObstacle(on name: String) -> Obstacle? {
        var path = ""
        var current = descriptor
        let segments = name.split(separator: "/")
        for (index, segment) in segments.enumerated() {
            path += path.isEmpty ? String(segment) : "/" + segment
            guard let status = try? SystemCall.status(of: String(segment), in: current) else { return nil }
            switch status.kind {
            case .symbolicLink: return .symbolicLink(path)
            case .file, .other: return index + 1 < segments.count ? .file(path) : nil
            case .directory:
                guard let next = try? SystemCall.openDirectory(String(segment), in: current) else { return nil }
                current = next
            }
        }
        return nil
    }

    // MARK: Segments

    /// Cuts a path at its slashes into C strings, in one allocation on the stack.
    private func withSegments<R>(of path: String, _ body: ([UnsafePointer<CChar>]) throws -> R) throws -> R {
        let utf8 = path.utf8
        // The pointers are used by `body` only, while the buffer they point into lives.
        return try withUnsafeTemporaryAllocation(of: CChar.self, capacity: utf8.count + 1) { buffer in
            buffer.initialize(repeating: 0)
            var segments: [UnsafePointer<CChar>] = []
            guard let base = buffer.baseAddress else { return try body(segments) }
            var index = 0
            var start = 0
            for byte in utf8 {
                if byte == UInt8(ascii: "/") {
                    segments.append(base + start)
                    start = index + 1
                } else {
                    buffer[index] = CChar(bitPattern: byte)
                }
                index += 1
            }
            segments.append(base + start)
            return try body(segments)
        }
    }
}
