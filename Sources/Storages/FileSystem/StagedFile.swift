internal import NIOCore
import Platform

/// A file that is being written and has no name that anybody can see yet.
///
/// Where the kernel can (`O_TMPFILE`, and `linkat` through `/proc/self/fd`) it has no name at all and vanishes with the
/// process. Elsewhere, and when it shall replace another file, which only `renameat` does atomically, it has a random
/// name in the staging directory below the root.
final class StagedFile: Sendable {
    /// A name in the staging directory, which stays open with it: to remove the name no descriptor is needed that a
    /// process with too many may not get.
    struct Temporary: Sendable {
        var name: String
        var directory: Descriptor
    }

    let descriptor: Descriptor
    let temporary: Temporary?
    private let root: RootDirectory
    private let fileMode: UInt32
    private let ways: PlacementWays

    init(
        root: RootDirectory,
        fileMode: UInt32,
        ways: PlacementWays,
        descriptor: Descriptor,
        temporary: Temporary?
    ) {
        self.root = root
        self.fileMode = fileMode
        self.ways = ways
        self.descriptor = descriptor
        self.temporary = temporary
    }

    func write(_ buffer: ByteBuffer) throws {
        try SystemCall.write(buffer, to: descriptor)
    }

    /// Puts the bytes onto the medium and returns what the file is; the next step is one of the two below.
    func complete() throws -> FileStatus {
        try SystemCall.stampNow(descriptor)
        if root.synchronizes {
            try root.synchronize(descriptor)
        } else if !root.kind.isLocal {
            try SystemCall.flush(descriptor)
        }
        return try SystemCall.status(of: descriptor)
    }

    /// Makes the file appear under `destination` unless something is there: then it throws `EEXIST`.
    ///
    /// When this throws, the file is not there: an entry that could not be written out is removed, unless another file
    /// has taken its place by then.
    ///
    /// - Parameters:
    ///   - destination: The name below the root.
    ///   - status: What ``complete()`` returned.
    /// - Throws: ``NamelessFileRefused`` when it has no name and cannot get one here.
    func link(to destination: String, as status: FileStatus) throws {
        var way: PlacementWays.Way?
        try root.makeEntry(named: destination) { directory, segment in
            way = try place(segment, in: directory, as: status)
        } undo: { directory, segment in
            guard status.isEntry(segment, in: directory) else { return }
            // Nobody is left to tell: the upload throws the reason why this is undone.
            try? SystemCall.unlink(segment, in: directory)
        }
        guard way == .link else { return descriptor.closeNow() }
        // The bytes are in place under both names; a leftover of the second is harmless and is collected later.
        try? discard()
    }

    /// Makes the file appear under `destination`, in place of the file that may be there.
    func rename(to destination: String, as status: FileStatus) throws {
        guard let temporary else { return try link(to: destination, as: status) }
        var isReplaced = false
        do {
            // Some shares do not rename a file that is open.
            try descriptor.closeTelling()
            try root.makeEntry(named: destination) { directory, segment in
                try keepingCollected(temporary) {
                    try acceptingOwn(segment, in: directory, as: status) {
                        try SystemCall.rename(temporary.name, in: temporary.directory, to: segment, in: directory)
                    }
                }
                isReplaced = true
            } undo: { _, _ in
                // The old file is gone; what is there is complete, and more than nothing.
            }
        } catch var error as SystemCallError where isReplaced {
            error.isAfterReplacing = true
            throw error
        }
    }

    /// Removes the temporary name, if there is one, and lets go of the bytes.
    func discard() throws {
        defer { descriptor.closeNow() }
        guard let temporary else { return }
        try SystemCall.unlink(temporary.name, in: temporary.directory)
    }

    // MARK: Ways to a name

    /// Makes the file an entry of a directory, unless there is one, by the first way that the file system offers.
    ///
    /// - Returns: The way; after ``FileSystemProbe/Placement/link`` the temporary name is there, too.
    func place(
        _ segment: UnsafePointer<CChar>,
        in directory: Descriptor,
        as status: FileStatus
    ) throws -> PlacementWays.Way {
        guard let temporary else {
            try placeNameless(segment, in: directory, as: status)
            return .namelessLink
        }
        let ways = ways.forNamedFiles
        for way in ways {
            do {
                try keepingCollected(temporary) {
                    try place(temporary, segment, in: directory, as: status, by: way)
                }
                self.ways.settle(way)
                return way
            } catch let error as SystemCallError where way != ways.last && Self.isRefusal(error, of: way) {
                // The next way tells whether it was this one that is missing, or the permission.
            }
        }
        throw SystemCallError(call: "linkat", number: ENOTSUP)
    }

    private static func isRefusal(_ error: SystemCallError, of way: PlacementWays.Way) -> Bool {
        // EXDEV: on AFS a file has all its names in one directory.
        error.isRefused || way == .link && error.number == EXDEV
    }

    private func placeNameless(
        _ segment: UnsafePointer<CChar>,
        in directory: Descriptor,
        as status: FileStatus
    ) throws {
        #if os(Linux)
            do {
                try acceptingOwn(segment, in: directory, as: status) {
                    try SystemCall.link(descriptor, to: segment, in: directory)
                }
            } catch let error as SystemCallError
                where error.isRefused || error.isMissing && !SystemCall.isReachable(descriptor)
            {
                throw NamelessFileRefused()
            }
        #else
            throw NamelessFileRefused()
        #endif
    }

    private func place(
        _ temporary: Temporary,
        _ segment: UnsafePointer<CChar>,
        in directory: Descriptor,
        as status: FileStatus,
        by way: PlacementWays.Way
    ) throws {
        switch way {
        case .namelessLink: throw NamelessFileRefused()
        case .link:
            try acceptingOwn(segment, in: directory, as: status) {
                try SystemCall.link(temporary.name, in: temporary.directory, to: segment, in: directory)
            }
        case .exclusiveRename:
            try acceptingOwn(segment, in: directory, as: status) {
                try SystemCall.renameExclusively(temporary.name, in: temporary.directory, to: segment, in: directory)
            }
        case .placeholder:
            try replacePlaceholder(temporary, segment, in: directory, as: status)
        }
    }

    /// Takes the name by an empty file, and puts this one in its place while it is still there.
    private func replacePlaceholder(
        _ temporary: Temporary,
        _ segment: UnsafePointer<CChar>,
        in directory: Descriptor,
        as status: FileStatus
    ) throws {
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW
        let placeholder = try SystemCall.open(segment, in: directory, flags: flags, mode: fileMode)
        let taken: FileStatus
        do {
            taken = try SystemCall.status(of: placeholder)
        } catch {
            // It was made here a moment ago, and cannot be told from another's any more.
            try? SystemCall.unlink(segment, in: directory)
            throw error
        }
        do {
            // Both are closed before: where an open file cannot be renamed or replaced (shares of Windows), and where
            // it would stay as a hidden file until it is closed (NFS, FUSE).
            try placeholder.closeTelling()
            try descriptor.closeTelling()
            try acceptingOwn(segment, in: directory, as: status) {
                guard try SystemCall.status(of: segment, in: directory).inode == taken.inode else {
                    throw SystemCallError(call: "renameat", number: EEXIST)
                }
                try SystemCall.rename(temporary.name, in: temporary.directory, to: segment, in: directory)
            }
        } catch {
            if taken.isEntry(segment, in: directory) { try? SystemCall.unlink(segment, in: directory) }
            throw error
        }
    }

    /// Takes a failure for success when the entry is this file all the same.
    ///
    /// A request that a server has carried out, and whose response was lost, is sent again: `linkat` then says that the
    /// name is taken, and `renameat` that there is nothing to rename.
    private func acceptingOwn(
        _ segment: UnsafePointer<CChar>,
        in directory: Descriptor,
        as status: FileStatus,
        _ work: () throws -> Void
    ) throws {
        do {
            try work()
        } catch let error as SystemCallError where error.isAlreadyExists || error.isMissing {
            guard status.isEntry(segment, in: directory) else { throw error }
        }
    }

    /// Distinguishes a temporary name that is gone from a directory that is: one call reports `ENOENT` for both.
    private func keepingCollected(_ temporary: Temporary, _ work: () throws -> Void) throws {
        do {
            try work()
        } catch let error as SystemCallError where error.isMissing {
            do {
                _ = try SystemCall.status(of: temporary.name, in: temporary.directory)
            } catch let error as SystemCallError where error.isMissing {
                throw StagedFileCollected()
            }
            throw error
        }
    }
}

/// An error that reports that another process has removed the temporary name of an unfinished upload.
struct StagedFileCollected: Error {}

/// The file system makes files without a name, but gives them none.
struct NamelessFileRefused: Error {}
