import NIOConcurrencyHelpers
import NIOCore
public import Storages

/// A storage that counts what is done with another one and fails when it is told to.
///
/// ```swift
/// let storage = FaultyStorage(MemoryStorage())
/// storage.inject(.error(StorageError(.unavailable, "down")), into: .upload)          // the next upload fails
/// storage.inject(.lostResponse(timeout), into: .delete, times: 3)                      // done, but reported as failed
/// …
/// #expect(storage.counts[.open] == 1)
/// ```
///
/// Operations are counted when they begin, whether they succeed or not; a deletion of many names, a copy and each
/// listing count once, each chunk read counts as ``Operation/read``.
public final class FaultyStorage: Storage {
    /// An operation of a storage.
    public enum Operation: Hashable, Sendable, CaseIterable {
        /// ``Storage/upload(_:to:options:)``.
        case upload
        /// ``Storage/open(_:options:)``.
        case open
        /// One chunk asked of a ``StoredContents``.
        case read
        /// ``Storage/info(for:)``, which size and existence use too.
        case info
        /// ``Storage/url(for:options:)``.
        case url
        /// ``Storage/delete(_:)``, once for all its names.
        case delete
        /// One iteration of a listing.
        case list
        /// ``Storage/copy(_:to:options:)``.
        case copy
        /// ``Storage/abandonUploads(of:)``, once for all its names.
        case abandonUploads
        /// ``Storage/purge(_:)``, once for all its names.
        case purge
    }

    /// An operation as it was called.
    public struct Call: Hashable, Sendable {
        /// The operation that was called.
        public let operation: Operation
        /// The names it was done with: none for a listing, source and destination for a copy.
        public let names: [StorageName]
    }

    /// A fault to inject.
    public enum Fault: Sendable {
        /// The operation is not begun and throws.
        case error(any Error)
        /// The operation begins later; cancelling the task ends the wait.
        case delay(Duration)
        /// The operation is done, then throws: as when the response of a server is lost.
        case lostResponse(any Error)
        /// The transfer of an upload or of opened contents breaks off after so many bytes.
        case breakAfter(bytes: Int64, any Error)
        /// Runs before the operation, for example to do something else to the file; throwing fails the operation.
        case run(@Sendable () async throws -> Void)
    }

    struct State {
        var counts: [Operation: Int] = [:]
        var calls: [Call] = []
        var queued: [Operation: [Fault]] = [:]
        var script: (@Sendable (Call, _ number: Int) -> Fault?)?
        var bytesUploaded: Int64 = 0
        var bytesRead: Int64 = 0
    }

    /// The storage that does the work.
    public let base: any Storage
    let state: NIOLockedValueBox<State>

    /// Decorates a storage.
    ///
    /// - Parameters:
    ///   - base: The storage that does the work.
    ///   - script: Asked at each operation, with the number of the call among those of its kind, from 1, when no fault
    ///     is queued by ``inject(_:into:times:)``. Default: nothing goes wrong.
    public init(_ base: any Storage, script: (@Sendable (Call, _ number: Int) -> Fault?)? = nil) {
        self.base = base
        state = NIOLockedValueBox(State(script: script))
    }

    /// The number of times that each operation was begun.
    public var counts: [Operation: Int] { state.withLockedValue { $0.counts } }

    /// All operations that were begun but reads, in order.
    public var calls: [Call] { state.withLockedValue { $0.calls } }

    /// Bytes that uploads have taken from their bodies.
    public var bytesUploaded: Int64 { state.withLockedValue { $0.bytesUploaded } }

    /// Bytes that readers were given.
    public var bytesRead: Int64 { state.withLockedValue { $0.bytesRead } }

    /// Returns the number of times that an operation was begun.
    ///
    /// - Parameter operation: The operation.
    /// - Returns: 0 when it never was.
    public func count(of operation: Operation) -> Int { counts[operation] ?? 0 }

    /// Makes the next calls of an operation fail; calls queue up behind those injected before.
    ///
    /// - Parameters:
    ///   - fault: What goes wrong.
    ///   - operation: The operation.
    ///   - times: How many calls. Default: one.
    public func inject(_ fault: Fault, into operation: Operation, times: Int = 1) {
        state.withLockedValue { $0.queued[operation, default: []] += Array(repeating: fault, count: times) }
    }

    /// Sets counts, calls and bytes to nothing and forgets injected faults; the script stays.
    public func reset() {
        state.withLockedValue { $0 = State(script: $0.script) }
    }

    /// The label of the storage below.
    public var label: String { base.label }

    /// The location of the storage below, so that files of both are equal.
    public var location: StorageLocation? { StorageLocation(of: base) }

    /// The capabilities of the storage below.
    public var capabilities: StorageCapabilities { base.capabilities }

    /// The name the storage below would give.
    public func name(for original: String) throws -> StorageName { try base.name(for: original) }

    /// Stores a file, if nothing goes wrong.
    public func upload(
        _ body: UploadBody,
        to name: StorageName,
        options: UploadOptions
    ) async throws -> UploadedFile {
        try await perform(.upload, [name]) { fault in
            var options = options
            let tap = options.tap
            options.tap = { [state] chunk in
                try tap?(chunk)
                state.withLockedValue { $0.bytesUploaded += Int64(chunk.readableBytes) }
            }
            var body = body
            if case .breakAfter(let limit, let error) = fault { body = FaultyStorage.breaking(body, limit, error) }
            return try await base.upload(body, to: name, options: options)
        }
    }

    /// Opens a file, if nothing goes wrong.
    public func open(_ name: StorageName, options: OpenOptions) async throws -> StoredContents {
        try await perform(.open, [name]) { fault in
            let contents = try await base.open(name, options: options)
            let chunks = CountedChunks(storage: self, contents: contents, fault: fault)
            return StoredContents(info: contents.info, range: contents.range, chunks: chunks)
        }
    }

    /// Looks up a file, if nothing goes wrong.
    public func info(for name: StorageName) async throws -> FileInfo {
        try await perform(.info, [name]) { _ in try await base.info(for: name) }
    }

    /// Makes a URL, if nothing goes wrong.
    public func url(for name: StorageName, options: URLOptions) async throws -> String {
        try await perform(.url, [name]) { _ in try await base.url(for: name, options: options) }
    }

    /// Deletes files, if nothing goes wrong.
    public func delete(_ names: [StorageName]) async throws -> [DeletionFailure] {
        try await perform(.delete, names) { _ in try await base.delete(names) }
    }

    /// Gives up unfinished uploads of the storage below, if nothing goes wrong.
    public func abandonUploads(of names: [StorageName]) async throws {
        try await perform(.abandonUploads, names) { _ in try await base.abandonUploads(of: names) }
    }

    /// Removes everything under names, if nothing goes wrong.
    public func purge(_ names: [StorageName]) async throws -> [PurgedFile] {
        try await perform(.purge, names) { _ in try await base.purge(names) }
    }

    /// Lists files; a fault comes with the first one asked for.
    public func list(prefix: String) -> FileListing {
        FileListing(CountedListing(storage: self, files: base.list(prefix: prefix)))
    }

    /// Copies a file, if nothing goes wrong.
    public func copy(
        _ source: StorageName,
        to destination: StorageName,
        options: UploadOptions
    ) async throws -> UploadedFile {
        try await perform(.copy, [source, destination]) { _ in
            try await base.copy(source, to: destination, options: options)
        }
    }
}
