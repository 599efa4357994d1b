internal import Foundation

/// A storage in a directory of the local file system.
///
/// ```swift
/// let storage = try FileSystemStorage(root: "/var/lib/app/media", baseURL: "https://example.org/media")
/// ```
///
/// **Complete or absent.** A file is written without a name (`O_TMPFILE`) or under a hidden one, and appears under its
/// own by one system call: `linkat`, which fails when the name is taken, or `renameat` for ``IfExists/replace``; a file
/// system without links is the last section's. With
/// ``Durability/fsync`` the bytes, the entry and the directories on the way to it are on the medium when an upload
/// returns. When the medium refuses the entry, the upload throws and the file is removed; one that has replaced another
/// by then stays, since the other is gone, and the error says so.
///
/// **Contained.** Names are resolved beneath the root's descriptor (`openat2`, elsewhere segment by segment), and no
/// symbolic link below the root is ever followed, neither to a directory nor to a file, no matter which process puts it
/// there and when; such a name throws ``StorageError/Code/permissionDenied``. Only regular files are read. The root
/// itself may be a link.
///
/// **What a file system cannot do.** It keeps no media types, dispositions or metadata: the type is derived from the
/// name. ``UploadOptions/contentType`` is taken as a statement about the bytes: an upload whose name would have them
/// served as something that a browser runs, or hide that they are, is refused with ``StorageError/Code/wrongType``, as
/// HTML called `photo.jpg` is; between harmless types the name counts. The others are refused with
/// ``StorageError/Code/unsupported``, all before a byte is read. A file "a" and a file "a/b" cannot both exist. The
/// tree below the root must be one file system. On a file system that folds case or normalises names, two names may be
/// one file.
///
/// Several processes may use one root at the same time. The directory `.stored-files-tmp` below it belongs to the
/// storage: it is not listed, and names that begin with it, in any case of its letters, are refused. Users of one group
/// may share a root that is theirs (`chmod 2775`) with a ``FileSystemOptions/directoryMode`` of `0o775` and a umask of
/// `002`: the storage's own directory gets the permission bits of the root.
///
/// **File systems of others.** The root may lie on NFS, on a share (CIFS, vboxsf, 9p), on FAT or exFAT, or behind FUSE;
/// ``probe()`` says what such a file system can do.
///
/// - A new file gets its name without overwriting another by the first way that works there, which is then kept to:
///   ``FileSystemProbe/Placement``. Only the last, where there are neither links nor exclusive renames, shows an empty
///   file for a moment, which stays when the process is killed in this moment. Whether two machines cannot take one
///   name is as true as the file system's `O_EXCL`: some behind FUSE that keep objects decide only when a file is
///   closed.
/// - Requests that a server did, and was asked for again because its response was lost, are not taken for failures.
///   What NFS and FUSE leave of a deleted file that is still open (`.nfs…`, `.fuse_hidden…`) is not listed, and no
///   upload gets such a name.
/// - A full disk or quota that is told only when a file is closed is told by the upload, also with ``Durability/none``.
///   Directories that the file system does not write out, and modification times that it does not set, are no failure.
/// - Each file system has 16 threads of its own, so one that hangs does not hold up storages on others. Operations on
///   it wait until it responds, or until its mount gives up (`soft`, `timeo` of NFS). Only what lies on a device of
///   this machine is read without a thread.
/// - ``StorageError/Code/outOfSpace``, ``StorageError/Code/unavailable``, ``StorageError/Code/timeout`` and
///   ``StorageError/Code/permissionDenied`` say in their messages what to do, leave nothing behind, and are over when
///   their cause is. A mount whose program or server had ended is found again under the root's path when it is the same
///   kind of file system: the first operation after that still fails.
/// - Where inode numbers change while a file is unchanged (FAT after a remount), so do entity tags.
public final class FileSystemStorage: Storage {
    /// The data that must have reached the medium before an operation returns.
    public enum Durability: Hashable, Sendable {
        /// The file's bytes, its directory entry and the directories above it, also those that others made: a power cut
        /// after the return loses nothing.
        case fsync
        /// Nothing: the kernel writes when it likes; for files that can be made again. Other processes see every file
        /// complete all the same.
        case none
    }

    /// `FileSystemStorage(` and the root `)`.
    public let label: String
    /// Conditional uploads, ranged reads, ordered listings; temporary URLs when there is a signing key.
    public let capabilities: StorageCapabilities
    /// The root's path without symbolic links, as it was when the storage was made.
    public let location: StorageLocation?
    /// The root as it was given.
    public var root: String { directory.path }

    let directory: RootDirectory
    let staging: StagingArea
    let urls: FileURLs
    private let namePolicy: StorageNamePolicy

    /// Opens, and makes if it must, the directory to store in.
    ///
    /// Blocks shortly, so it belongs into the start-up. The directory is held open: one that is removed and made again
    /// under the same path is another directory.
    ///
    /// - Parameters:
    ///   - root: Path of the directory, absolute or relative to the working directory at this moment.
    ///   - baseURL: Where a web server offers the root: an absolute `http` or `https` URL, or an absolute path such as
    ///     `/media`; without query and fragment. Default: none, then ``url(for:options:)`` gives paths of files.
    ///   - signingKey: Makes every URL carry an expiry and an HMAC-SHA256 signature, to be checked by
    ///     ``verify(url:method:now:)``. At least 16 bytes, 32 random ones are right. Default: none.
    ///   - durability: What must be on the medium when an operation returns. Default: ``Durability/fsync``.
    ///   - options: Everything else.
    /// - Throws: ``StorageError`` with code ``StorageError/Code/invalidConfiguration`` when an argument or option is
    ///   wrong or the root is no directory, ``StorageError/Code/permissionDenied`` when the process has no access to
    ///   it.
    public init(
        root: String,
        baseURL: String? = nil,
        signingKey: [UInt8]? = nil,
        durability: Durability = .fsync,
        options: FileSystemOptions = FileSystemOptions()
    ) throws {
        let label = "FileSystemStorage(\(root))"
        self.label = label
        namePolicy = options.namePolicy
        guard !root.isEmpty, !root.utf8.contains(0) else {
            throw StorageError(
                .invalidConfiguration,
                "The root is empty or contains NUL. Give the path of a directory.",
                storage: label
            )
        }
        try options.validate(for: label)
        urls = try FileURLs(
            root: root,
            baseURL: baseURL,
            key: signingKey,
            lifetime: options.urlLifetime,
            label: label
        )
        do {
            directory = try RootDirectory(
                path: root,
                creates: options.createsRoot,
                directoryMode: options.directoryMode,
                synchronizes: durability == .fsync,
                platform: options.platform
            )
        } catch let error as SystemCallError {
            var failure = StorageError(errno: error.number, "open the root directory", path: root, storage: label)
            if failure.code == .notFound { failure.code = .invalidConfiguration }
            throw failure
        }
        location = directory.canonicalPath.map { StorageLocation(StorageIdentity(root: .fileSystem, path: $0)) }
        staging = StagingArea(root: directory, fileMode: options.fileMode, platform: options.platform)
        var capabilities: StorageCapabilities = [.conditionalUpload, .rangedRead, .orderedListing]
        if signingKey != nil { capabilities.insert(.temporaryURL) }
        self.capabilities = capabilities
    }

    /// The valid name a file with this original name would be stored under.
    ///
    /// - Parameter original: A name as a client sent it; directories may stand before it, with slashes. Of a path of
    ///   the client's own machine, such as `C:\fakepath\cat.jpg`, only the last segment counts, and invisible marks of
    ///   text direction are dropped.
    /// - Returns: The sanitised name; whether it is free is not looked up.
    /// - Throws: ``StorageError`` with code ``StorageError/Code/invalidName``.
    public func name(for original: String) throws -> StorageName {
        try StorageName(originalPath: original, policy: namePolicy)
    }

    /// Removes what uploads left behind whose process was killed.
    ///
    /// Where the kernel has files without names (Linux with ext4, XFS, Btrfs, tmpfs and others) only uploads with
    /// ``IfExists/replace`` can leave anything. It is never listed and cannot be opened by a name. The empty file that
    /// ``FileSystemProbe/Placement/placeholder`` may leave cannot be told from others, and stays.
    ///
    /// - Parameter age: How long nothing must have been written to it. Default: one day. An upload that stalls for
    ///   longer fails at its end.
    /// - Returns: The number of files removed.
    /// - Throws: ``StorageError``; `CancellationError`.
    /// - Complexity: O(n) in the number of unfinished uploads, not of files.
    @discardableResult
    public func removeAbandonedUploads(olderThan age: Duration = .seconds(86_400)) async throws -> Int {
        let limit = Date().timeIntervalSince1970 - Double(age.components.seconds)
        return try await run("remove abandoned uploads", nil) {
            try self.staging.removeFiles(olderThan: Int64(limit))
        }
    }

    // MARK: Blocking work and its errors

    /// Runs blocking work on the pool and explains the system calls that fail; the name has been checked.
    func run<Result: Sendable>(
        _ operation: String,
        _ name: StorageName?,
        writes: Bool = false,
        _ work: @escaping @Sendable () throws -> Result
    ) async throws -> Result {
        try await BlockingPool.run(on: directory.threads) {
            try self.explaining(operation, name, writes: writes, work)
        }
    }

    /// Runs work for one name here and explains the system calls that fail.
    func explaining<Result>(
        _ operation: String,
        _ name: StorageName?,
        writes: Bool = false,
        _ work: () throws -> Result
    ) throws -> Result {
        do {
            return try work()
        } catch let error as SystemCallError {
            throw explain(error, operation, name, writes: writes)
        } catch is StagedFileCollected {
            throw StorageError(
                .io,
                "Cannot \(operation): its unfinished bytes were removed meanwhile. Collect abandoned uploads at an age "
                    + "that no upload reaches.",
                name: name?.string,
                storage: label
            )
        } catch let error as StagingAreaClosed {
            throw explain(error, operation, name)
        }
    }

    /// Refuses names that could leave the root, and those in the directory that belongs to the storage itself.
    func requireOwnName(_ name: StorageName) throws {
        try name.requireSafe(in: label)
        guard StagingArea.isReserved(name.string) else { return }
        throw StorageError(
            .invalidName,
            "Names that begin with \(StagingArea.directoryName) belong to the storage itself. Use another name.",
            name: name,
            storage: label
        )
    }

    /// Returns whether a name is invalid on FAT and on Windows shares, some of which report `ENOENT` for it.
    private static func isUncommon(_ name: StorageName?) -> Bool {
        guard let name else { return false }
        return name.string.utf8.contains { "\\:*?\"<>|".utf8.contains($0) }
            || name.string.pathSegments.contains { ". ".utf8.contains($0.utf8.last ?? 0) }
    }

    /// Describes what to do about a directory of unfinished uploads that another user has closed.
    func explain(_ error: StagingAreaClosed, _ operation: String, _ name: StorageName?) -> StorageError {
        StorageError(
            .permissionDenied,
            "Cannot \(operation): the directory of unfinished uploads belongs to another user, and lets in fewer than "
                + "the root does. Let that user, or the superuser, run: \(error.command)",
            name: name?.string,
            storage: label,
            underlying: SystemCallFailure(errno: error.number)
        )
    }

    /// Describes what a failed system call means for a file.
    func explain(_ error: SystemCallError, _ operation: String, _ name: StorageName?, writes: Bool) -> StorageError {
        if let name, error.isNotADirectory {
            switch directory.firstObstacle(on: name.string) {
            case .symbolicLink(let path):
                return StorageError(
                    .permissionDenied,
                    "Cannot \(operation): \(StorageError.quoted(path)) is a symbolic link, and none is followed below "
                        + "the root. Replace it by the directory or file itself.",
                    name: name,
                    storage: label,
                    underlying: SystemCallFailure(errno: error.number)
                )
            case .file(let path):
                return StorageError(
                    writes ? .alreadyExists : .notFound,
                    "Cannot \(operation): \(StorageError.quoted(path)) is a file, so a file system holds nothing below "
                        + "it. Use another name.",
                    name: name,
                    storage: label,
                    underlying: SystemCallFailure(errno: error.number)
                )
            case nil: break
            }
        }
        directory.renewMount(after: error)
        if error.isNoFile { return noFile(name) }
        var failure = StorageError(errno: error.number, operation, name: name?.string, storage: label)
        if error.number == ESTALE && !writes && ["pread", "fstat"].contains(error.call) {
            failure.code = .changedDuringRead
            failure.message = "Cannot \(operation): it was deleted or replaced on its server meanwhile. Open it again."
        } else if writes && error.isOfName && (error.number == EINVAL || error.isMissing && Self.isUncommon(name)) {
            failure.code = .invalidName
            failure.message =
                "Cannot \(operation): the file system does not take this name. FAT, exFAT and shares of Windows take "
                + "none of \\ : * ? \" < > | and no dot or space at the end of a segment. Use another name."
        } else if error.isAfterReplacing {
            failure.message += " The new file has replaced the old one, but may not survive a power cut."
        } else if writes && error.isADirectory {
            failure.code = .alreadyExists
        } else if writes && failure.code == .notFound {
            failure.code = .io
            failure.message = "Cannot \(operation): its directory keeps disappearing. Check that the root still exists."
        }
        return failure
    }

    /// Returns the error for a name of something that is neither file nor directory nor link.
    func noFile(_ name: StorageName?) -> StorageError {
        StorageError(
            .notFound,
            "A device, pipe or socket has this name; a storage has regular files only.",
            name: name?.string,
            storage: label
        )
    }
}
