/// A place for bytes under names: a directory, a bucket, memory.
///
/// A storage is used by many tasks at the same time. Every operation is safe to call concurrently with every other,
/// on the same name too. Invariants that every storage keeps, and `StorageConformance` checks:
///
/// - An upload is complete or absent; no reader ever sees a part of a file.
/// - Nothing is overwritten unless ``IfExists/replace`` was asked for.
/// - A ``StoredContents`` yields the bytes of one version, whatever happens to the name meanwhile, or throws.
/// - Memory is bounded by a constant, not by the size of a file.
/// - Names are compared by their UTF-8 bytes.
/// - Cancelling the task ends an operation with `CancellationError`, and what was begun is undone, unless it was
///   complete already: a step that has begun is waited for, and when it was the last one, its result is returned.
///
/// The requirements are few and take options; conveniences live in extensions.
public protocol Storage: Sendable {
    /// A short name for messages, without secrets, such as `FileSystemStorage(/var/lib/app)`.
    var label: String { get }

    /// The location of the bytes, which is the same for all values that see the same files. Default: `nil`. Then every
    /// storage that is an object has a location of its own, and values of one type share a location when their labels
    /// are equal.
    ///
    /// It decides whether two files are the same, whether a copy stays within one storage, and whether a file belongs
    /// to a field. A decorator that keeps names forwards it, see ``StorageLocation``.
    var location: StorageLocation? { get }

    /// The capabilities of this storage.
    var capabilities: StorageCapabilities { get }

    /// The valid name a file with this original name would be stored under.
    ///
    /// - Parameter original: A name as a client sent it; directories may stand before it, with slashes. Of a path of
    ///   the client's own machine, such as `C:\fakepath\cat.jpg`, only the last segment counts, and invisible marks of
    ///   text direction are dropped.
    /// - Returns: The sanitised name; whether it is free is not looked up.
    /// - Throws: ``StorageError`` with code ``StorageError/Code/invalidName`` when the name is hostile or nothing is
    ///   left of it.
    func name(for original: String) throws -> StorageName

    /// Stores a file; it is complete or absent, never partial.
    ///
    /// - Parameters:
    ///   - body: The bytes. Read once, in chunks of at most 256 KiB.
    ///   - name: Where to store it.
    ///   - options: What to do when the name is taken, limits, metadata.
    /// - Returns: The final name, the size, the tag and the SHA-256.
    /// - Throws: ``StorageError`` with code ``StorageError/Code/alreadyExists`` when the name is taken and
    ///   ``IfExists/fail`` was asked for, ``StorageError/Code/tooLarge`` above ``UploadOptions/maxBytes``,
    ///   ``StorageError/Code/sourceFailed`` when the body fails; whatever ``UploadOptions/tap`` throws, unchanged;
    ///   `CancellationError`.
    /// - Complexity: O(n) in the byte count, constant memory.
    func upload(_ body: UploadBody, to name: StorageName, options: UploadOptions) async throws -> UploadedFile

    /// Opens a file for reading; its bytes come when they are asked for.
    ///
    /// - Parameters:
    ///   - name: The file.
    ///   - options: A range, a version, progress.
    /// - Returns: The contents of one version, to be read once.
    /// - Throws: ``StorageError`` with code ``StorageError/Code/notFound``, ``StorageError/Code/invalidRange``, or
    ///   ``StorageError/Code/preconditionFailed`` when ``OpenOptions/ifMatch`` does not hold.
    func open(_ name: StorageName, options: OpenOptions) async throws -> StoredContents

    /// Returns what the storage knows about a file: its size, media type, entity tag and date.
    ///
    /// - Parameter name: The file.
    /// - Returns: Size, type, tag, date.
    /// - Throws: ``StorageError`` with code ``StorageError/Code/notFound`` when no file has the name.
    func info(for name: StorageName) async throws -> FileInfo

    /// A URL or path under which the file can be fetched, percent-encoded.
    ///
    /// Whether the file exists is not looked up.
    ///
    /// - Parameters:
    ///   - name: The file.
    ///   - options: Lifetime and overrides of the response's headers.
    /// - Returns: The URL, percent-encoded.
    /// - Throws: ``StorageError`` with code ``StorageError/Code/unsupported`` for options the storage cannot honour.
    func url(for name: StorageName, options: URLOptions) async throws -> String

    /// Deletes files; a name that no file has counts as deleted.
    ///
    /// - Parameter names: Any number of names; the storage batches them as it must.
    /// - Returns: The names that may still exist, and why. Empty when all are gone.
    /// - Throws: Only what ends the whole operation: `CancellationError`, or ``StorageError`` when the storage cannot
    ///   be used at all.
    func delete(_ names: [StorageName]) async throws -> [DeletionFailure]

    /// The files whose names begin with a prefix.
    ///
    /// - Parameter prefix: Compared with the names by UTF-8 bytes; it need not end at a `/`. Empty: all files.
    /// - Returns: A sequence that fetches as it is iterated, in constant memory; in byte order from a storage with
    ///   ``StorageCapabilities/orderedListing``. It is not a snapshot: files that come or go meanwhile may or may not
    ///   be seen.
    func list(prefix: String) -> FileListing

    /// Copies a file within this storage, with its type and metadata.
    ///
    /// - Parameters:
    ///   - source: The file to copy.
    ///   - destination: The name of the copy.
    ///   - options: What to do when the destination is taken; a type or metadata given here replaces the source's.
    /// - Returns: The final name and size of the copy; the SHA-256 only when the bytes passed through this process.
    /// - Throws: ``StorageError`` with code ``StorageError/Code/notFound`` when there is no source,
    ///   ``StorageError/Code/alreadyExists`` as for an upload.
    func copy(
        _ source: StorageName,
        to destination: StorageName,
        options: UploadOptions
    ) async throws -> UploadedFile

    /// Gives up the unfinished uploads of names whose files are not wanted any more.
    ///
    /// There is no default: a decorator that forgot to forward it would leave parts behind that somebody pays for. A
    /// storage whose unfinished uploads leave nothing checks the names and does no more.
    ///
    /// - Parameter names: The names. One without an unfinished upload is passed over; a file that has the name stays.
    /// - Throws: ``StorageError`` when an upload may still go on; `CancellationError`.
    func abandonUploads(of names: [StorageName]) async throws

    /// Removes everything that is kept under names, so that nobody can bring it back: the files, in a storage with
    /// versions all of them and the markers of their deletions, and unfinished uploads.
    ///
    /// ``delete(_:)`` may merely hide a file where versions are kept. What other names have, such as copies, and
    /// backups that the storage knows nothing of, are not touched. There is no default: whatever a decorator added of
    /// its own would stay.
    ///
    /// - Parameter names: Any number of names. Of one that nothing is kept under there is a receipt of zeros.
    /// - Returns: A receipt for each name, in the order given; one with an ``PurgedFile/error`` when something may be
    ///   left. Its code is ``StorageError/Code/retained`` when the storage has to keep a version, until
    ///   ``PurgedFile/retainedUntil`` or until a hold is lifted.
    /// - Throws: Only what ends the whole operation: `CancellationError`, or ``StorageError`` when the storage cannot
    ///   be used at all. What was removed before stays removed.
    func purge(_ names: [StorageName]) async throws -> [PurgedFile]
}
