#if canImport(Darwin)
    internal import Darwin
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Glibc
#endif

/// The directory that a `FileSystemStorage` lives in, opened once, and the only way down from it.
///
/// Every segment of a name is opened on its own with `O_NOFOLLOW | O_DIRECTORY`, starting at the root's descriptor, so
/// no symbolic link below the root is ever followed, whoever swaps one in and when. (`openat2` with `RESOLVE_BENEATH`
/// would do the same in one call, but exists on Linux only and has no wrapper in the C library.)
final class RootDirectory: Sendable {
    /// How often a walk starts again after another process removed an empty directory under its feet.
    private static let attempts = 100

    let path: String
    let directoryMode: UInt32
    let synchronizes: Bool
    private let descriptor: Descriptor

    var number: Int32 { descriptor.number }

    /// Opens the directory; makes it, and the missing ones above it, when `creates`.
    init(path: String, creates: Bool, directoryMode: UInt32, synchronizes: Bool) throws {
        self.path = path
        self.directoryMode = directoryMode
        self.synchronizes = synchronizes
        do {
            descriptor = try Self.open(path)
        } catch let error as SystemCallError where error.isMissing && creates {
            try Self.makeDirectories(path, mode: directoryMode, synchronizes: synchronizes)
            descriptor = try Self.open(path)
        }
    }

    /// The root itself may be, and may lie behind, a symbolic link: that is the operator's choice, not a client's.
    private static func open(_ path: String) throws -> Descriptor {
        try SystemCall.open(path, in: AT_FDCWD, flags: O_RDONLY | O_DIRECTORY)
    }

    private static func makeDirectories(_ path: String, mode: UInt32, synchronizes: Bool) throws {
        let segments = path.split(separator: "/", omittingEmptySubsequences: true)
        var current = try open(path.hasPrefix("/") ? "/" : ".")
        for segment in segments {
            let name = String(segment)
            if mkdirat(current.number, name, mode_t(truncatingIfNeeded: mode)) == 0 {
                if synchronizes { try SystemCall.synchronize(current.number) }
            } else if errno != EEXIST {
                throw SystemCallError.last("mkdirat")
            }
            current = try SystemCall.open(name, in: current.number, flags: O_RDONLY | O_DIRECTORY)
        }
    }

    // MARK: Ways down

    /// The directory at `path` below the root ("" is the root).
    func directory(at path: String) throws -> Descriptor {
        guard !path.isEmpty else { return try SystemCall.open(".", in: number, flags: O_RDONLY | O_DIRECTORY) }
        return try withSegments(of: path) { segments in
            var current = descriptor
            for segment in segments {
                current = try SystemCall.openDirectory(segment, in: current.number)
            }
            return current
        }
    }

    /// Calls `body` with the directory that holds the last segment of `name`, and that segment.
    func withParent<R>(of name: String, _ body: (Int32, UnsafePointer<CChar>) throws -> R) throws -> R {
        try withSegments(of: name) { segments in
            var current = descriptor
            for segment in segments.dropLast() {
                current = try SystemCall.openDirectory(segment, in: current.number)
            }
            guard let last = segments.last else { throw SystemCallError(call: "openat", number: EINVAL) }
            return try body(current.number, last)
        }
    }

    /// Calls `body`, which makes an entry, with the directory that shall hold the last segment of `name`.
    ///
    /// Missing directories are made. When one is removed again by somebody who found it empty, the walk starts again.
    /// With `synchronizes`, the directory that got the entry and every directory that got a new one are on the medium
    /// when this returns.
    func makeEntry(
        named name: String,
        _ body: (Int32, UnsafePointer<CChar>) throws -> Void
    ) throws {
        try withSegments(of: name) { segments in
            for attempt in 1...Self.attempts {
                do {
                    var changed: [Descriptor] = []
                    let parent = try makeWay(along: segments.dropLast(), changed: &changed)
                    guard let last = segments.last else { throw SystemCallError(call: "openat", number: EINVAL) }
                    try body(parent.number, last)
                    if synchronizes {
                        try SystemCall.synchronize(parent.number)
                        for directory in changed.reversed() { try SystemCall.synchronize(directory.number) }
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
                current = try SystemCall.openDirectory(segment, in: current.number)
            } catch let error as SystemCallError where error.isMissing {
                if mkdirat(current.number, segment, mode_t(truncatingIfNeeded: directoryMode)) == 0 {
                    changed.append(current)
                } else if errno != EEXIST {
                    throw SystemCallError.last("mkdirat")
                }
                current = try SystemCall.openDirectory(segment, in: current.number)
            }
        }
        return current
    }

    /// Removes what has a name, unless it is a directory; returns whether there was something.
    func removeEntry(_ name: String) throws -> Bool {
        do {
            return try withParent(of: name) { parent, segment in
                if unlinkat(parent, segment, 0) == 0 { return true }
                let error = SystemCallError.last("unlinkat")
                // Linux says EISDIR, POSIX and Darwin EPERM.
                if error.isMissing || error.isADirectory { return false }
                if let status = try? SystemCall.status(of: segment, in: parent), status.kind == .directory {
                    return false
                }
                throw error
            }
        } catch let error as SystemCallError where error.isMissing {
            return false
        } catch let error as SystemCallError where error.isNotADirectory {
            if case .file = firstObstacle(on: name) { return false }
            throw error
        }
    }

    /// Removes the directories above `name` that are empty, deepest first, and returns the first that is not.
    func removeEmptyParents(of name: String) throws -> Substring {
        var parent = Self.parent(of: name[...])
        while !parent.isEmpty {
            let removed = try withParent(of: String(parent)) { directory, segment in
                if unlinkat(directory, segment, AT_REMOVEDIR) == 0 { return true }
                switch errno {
                case ENOENT: return true
                // A name that is in use, a mount point, a directory of another owner: it stays, nothing is lost.
                default: return false
                }
            }
            guard removed else { break }
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
            guard let status = try? SystemCall.status(of: String(segment), in: current.number) else { return nil }
            switch status.kind {
            case .symbolicLink: return .symbolicLink(path)
            case .file, .other: return index + 1 < segments.count ? .file(path) : nil
            case .directory:
                guard let next = try? SystemCall.openDirectory(String(segment), in: current.number) else { return nil }
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
