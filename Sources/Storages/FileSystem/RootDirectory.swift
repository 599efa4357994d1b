internal import NIOConcurrencyHelpers
internal import NIOPosix
import Platform

/// The directory that a `FileSystemStorage` lives in, opened once, and the only way down from it.
///
/// No symbolic link below the root is ever followed, not even one that another process swaps in at the last moment. On
/// Linux one `openat2` with `RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS` resolves a whole name; where that call is missing
/// or forbidden, every segment is opened on its own with `O_NOFOLLOW | O_DIRECTORY`, starting at the root's descriptor.
final class RootDirectory: Sendable {
    /// The number of times that a walk starts again after another process removed an empty directory on its way.
    private static let attempts = 100

    let path: String
    /// The path without symbolic links; `nil` when the system cannot tell.
    let canonicalPath: String?
    let directoryMode: UInt32
    let synchronizes: Bool
    /// The directory itself, as it is mounted now.
    var descriptor: Descriptor { mount.withLockedValue { $0.descriptor } }
    /// The kind of the file system that the directory lies on.
    var kind: FileSystemKind { mount.withLockedValue { $0.kind } }
    /// The threads that may wait for this file system.
    var threads: NIOThreadPool { BlockingPool.pool(ofDevice: mount.withLockedValue { $0.status.device }) }
    private let mount: NIOLockedValueBox<Mount>
    private let platform: FileSystemPlatform
    private let opensBeneath: Bool
    private let synchronized = SynchronizedDirectories()

    /// Opens the directory; makes it, and the missing ones above it, when `creates`.
    init(
        path: String,
        creates: Bool,
        directoryMode: UInt32,
        synchronizes: Bool,
        platform: FileSystemPlatform
    ) throws {
        self.path = path
        self.platform = platform
        self.directoryMode = directoryMode
        self.synchronizes = synchronizes
        let descriptor: Descriptor
        do {
            descriptor = try Self.open(path)
        } catch let error as SystemCallError where error.isMissing && creates {
            try Self.makeDirectories(path, mode: directoryMode, synchronizes: synchronizes)
            descriptor = try Self.open(path)
        }
        mount = NIOLockedValueBox(try Mount(descriptor))
        canonicalPath = SystemCall.canonicalPath(path)
        opensBeneath = platform.opensBeneath && SystemCall.canOpenBeneath(descriptor)
    }

    /// The root itself may be, and may lie behind, a symbolic link: that is the operator's choice, not a client's.
    private static func open(_ path: String) throws -> Descriptor {
        try SystemCall.open(path, in: .workingDirectory, flags: O_RDONLY | O_DIRECTORY)
    }

    private static func makeDirectories(_ path: String, mode: UInt32, synchronizes: Bool) throws {
        var current = try open(path.utf8.first == UInt8(ascii: "/") ? "/" : ".")
        for name in path.pathSegments {
            if try SystemCall.makeDirectory(name, in: current, mode: mode), synchronizes {
                try synchronizingDirectory { try SystemCall.synchronize(current) }
            }
            current = try SystemCall.open(name, in: current, flags: O_RDONLY | O_DIRECTORY)
        }
    }

    // MARK: Mounts

    /// The directory as it was found when it was opened.
    private struct Mount {
        var descriptor: Descriptor
        var status: FileStatus
        var kind: FileSystemKind

        init(_ descriptor: Descriptor) throws {
            self.descriptor = descriptor
            status = try SystemCall.status(of: descriptor)
            kind = try SystemCall.fileSystem(of: descriptor).kind
        }
    }

    /// Opens the directory anew when what it was mounted from has gone, and is mounted again.
    ///
    /// A descriptor of a mount whose program or server has ended stays dead for ever, while its path may lead to a new
    /// mount, or to the empty directory below the mount point: only a directory on the same kind of file system is
    /// taken, and after `ESTALE`, which may mean that just this directory was removed, only the very same one.
    func renewMount(after error: SystemCallError) {
        guard error.isDeadMount, let canonicalPath else { return }
        let old = mount.withLockedValue { $0 }
        do {
            _ = try SystemCall.status(of: SystemCall.open(".", in: old.descriptor, flags: O_RDONLY | O_DIRECTORY))
            // A file of it is stale, not the directory.
            return
        } catch let error as SystemCallError where error.isDeadMount {
            guard let new = try? Mount(Self.open(canonicalPath)), new.kind == old.kind,
                error.number == ENOTCONN || new.status.inode == old.status.inode
            else { return }
            mount.withLockedValue { current in
                if current.descriptor === old.descriptor { current = new }
            }
            synchronized.forget()
        } catch {
            // Something else is wrong: the operation has said what.
        }
    }

    // MARK: Writing out

    /// Writes a directory out by `work`, where the file system does that at all.
    ///
    /// Several file systems across a network and behind FUSE refuse it, and write entries out when they are made or not
    /// at all: nothing that is asked again would change that.
    private static func synchronizingDirectory(_ work: () throws -> Void) throws {
        do {
            try work()
        } catch let error as SystemCallError where error.isSynchronizationRefused {
        }
    }

    /// Puts the entries of a directory onto the medium.
    private func synchronizeEntries(of directory: Descriptor) throws {
        try Self.synchronizingDirectory { try synchronize(directory) }
    }

    // MARK: Ways down

    /// Puts what was written through a descriptor onto the medium.
    func synchronize(_ descriptor: Descriptor) throws {
        guard let replacement = platform.synchronize else { return try SystemCall.synchronize(descriptor) }
        let number = descriptor.use(replacement)
        guard number == 0 else { throw SystemCallError(call: "fsync", number: number) }
    }

    /// Puts the entries of the directory at `path` onto the medium; of the nearest one above when it is gone.
    ///
    /// A directory that somebody else found empty and removed takes its entries with it only when the removal itself is
    /// on the medium.
    func synchronizeDirectory(at path: String) throws {
        var path = path[...]
        while true {
            do {
                return try synchronized.synchronize(directory(at: String(path)), by: synchronizeEntries)
            } catch let error as SystemCallError where !path.isEmpty && (error.isMissing || error.isNotADirectory) {
                path = Self.parent(of: path)
            }
        }
    }

    /// Opens what is at `name` below the root.
    func open(_ name: String, flags: Int32) throws -> Descriptor {
        if opensBeneath { return try SystemCall.openBeneath(name, in: descriptor, flags: flags) }
        return try withParent(of: name) { parent, segment in
            try SystemCall.open(segment, in: parent, flags: flags)
        }
    }

    /// Opens what is at `name` below the root if no disk has to be waited for; `nil` when that is not known.
    func openCached(_ name: String, flags: Int32) throws -> Descriptor? {
        // Elsewhere it can wait for a server even to look at an open file.
        guard opensBeneath, kind.isLocal else { return nil }
        return try SystemCall.openBeneathIfCached(name, in: descriptor, flags: flags)
    }

    /// Returns the status of the entry at `name` below the root; a symbolic link is reported, not followed.
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
    /// Missing directories are made, and removed again when `body` fails. When one is removed by somebody who found it
    /// empty, the walk starts again. With `synchronizes`, the entry and all directories on the way to it are on the
    /// medium when this returns, also those that another process made; when that fails, `undo` is called where `body`
    /// was.
    func makeEntry(
        named name: String,
        _ body: (Descriptor, UnsafePointer<CChar>) throws -> Void,
        undo: (Descriptor, UnsafePointer<CChar>) -> Void
    ) throws {
        try withSegments(of: name) { segments in
            guard let last = segments.last else { throw SystemCallError(call: "openat", number: EINVAL) }
            for attempt in 1...Self.attempts {
                var way = Way(root: descriptor)
                do {
                    try makeWay(along: segments.dropLast(), &way)
                    try body(way.end, last)
                } catch {
                    removeMade(way)
                    guard let error = error as? SystemCallError, error.isMissing, attempt < Self.attempts else {
                        throw error
                    }
                    continue
                }
                guard synchronizes else { return }
                do {
                    try synchronizeEntries(of: way.end)
                } catch {
                    undo(way.end, last)
                    removeMade(way)
                    throw error
                }
                return
            }
        }
    }

    /// The way from the root to an entry.
    private struct Way {
        /// The directories that were made, each by its name in the one above.
        var made: [(parent: Descriptor, name: UnsafePointer<CChar>)] = []
        /// The directory reached, at the end the one that holds the entry.
        var end: Descriptor

        init(root: Descriptor) {
            end = root
        }
    }

    /// Opens directory after directory and makes those that are missing.
    ///
    /// Each is written out before anything is put into the next: one that is removed and made again after that is not
    /// the one that is open here, and takes no entry.
    private func makeWay(along segments: some Sequence<UnsafePointer<CChar>>, _ way: inout Way) throws {
        for segment in segments {
            let next: Descriptor
            do {
                next = try SystemCall.openDirectory(segment, in: way.end)
            } catch let error as SystemCallError where error.isMissing {
                if try SystemCall.makeDirectory(segment, in: way.end, mode: directoryMode) {
                    way.made.append((way.end, segment))
                }
                next = try SystemCall.openDirectory(segment, in: way.end)
            }
            if synchronizes { try synchronized.synchronize(way.end, by: synchronizeEntries) }
            way.end = next
        }
    }

    private func removeMade(_ way: Way) {
        for (parent, name) in way.made.reversed() {
            // Somebody else has put something there: then it is theirs now.
            guard (try? SystemCall.unlink(name, in: parent, flags: AT_REMOVEDIR)) != nil else { return }
        }
    }

    /// Removes what has a name, unless it is a directory; returns whether there was something.
    func removeEntry(_ name: String) throws -> Bool {
        do {
            return try withParent(of: name) { parent, segment in
                // Across a network a request whose response was lost is sent again, and then finds nothing to remove.
                let isThere = !kind.isLocal && (try? SystemCall.status(of: segment, in: parent))?.kind == .file
                do {
                    try SystemCall.unlink(segment, in: parent)
                    return true
                } catch let error as SystemCallError where error.isMissing && isThere {
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
