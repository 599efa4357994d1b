import NIOConcurrencyHelpers
import NIOCore
import StorageImages
import Storages
import StoredFilesTesting
import TestSupport

/// A storage in memory that counts what is read from it, and can hold readers up or fail them.
final class CountingStorage: ForwardingStorage {
    struct Counts: Equatable {
        var opens = 0
        var bytes = 0
        var cancelled = 0
    }

    private struct State {
        var counts = Counts()
        var isHeld = false
        var held: [CheckedContinuation<Void, Never>] = []
        var failure: StorageError?
        var ranges: [ByteRange?] = []
        var beforeOpen: (@Sendable (Int) async throws -> Void)?
    }

    let base = MemoryStorage()
    private let chunk: Int
    private let onChunk: @Sendable (Int) -> Void
    private let state = NIOLockedValueBox(State())

    /// - Parameters:
    ///   - chunk: The size of a chunk in bytes.
    ///   - onChunk: Called by the reader before each chunk, with its number.
    init(chunk: Int = 65_536, onChunk: @escaping @Sendable (Int) -> Void = { _ in }) {
        self.chunk = chunk
        self.onChunk = onChunk
    }

    /// Called before each open, with its number from 1 on.
    var beforeOpen: (@Sendable (Int) async throws -> Void)? {
        get { state.withLockedValue { $0.beforeOpen } }
        set { state.withLockedValue { $0.beforeOpen = newValue } }
    }

    /// The ranges that were asked for, in order.
    var ranges: [ByteRange?] { state.withLockedValue { $0.ranges } }

    var counts: Counts { state.withLockedValue { $0.counts } }

    /// Readers wait in `open` from now on.
    func hold() { state.withLockedValue { $0.isHeld = true } }

    func release() {
        let held = state.withLockedValue { state in
            state.isHeld = false
            defer { state.held = [] }
            return state.held
        }
        for reader in held { reader.resume() }
    }

    /// The next open fails.
    func fail(with error: StorageError) { state.withLockedValue { $0.failure = error } }

    func put(_ bytes: [UInt8], _ name: String) async throws -> StorageFile {
        let name = try StorageName(validating: name)
        _ = try await base.upload(.bytes(bytes), to: name)
        return StorageFile(name: name, in: self)
    }

    func open(_ name: StorageName, options: OpenOptions) async throws -> StoredContents {
        let (isHeld, failure, count) = state.withLockedValue { state in
            state.counts.opens += 1
            state.ranges.append(options.range)
            defer { state.failure = nil }
            return (state.isHeld, state.failure, state.counts.opens)
        }
        if let beforeOpen { try await beforeOpen(count) }
        if isHeld {
            await withCheckedContinuation { continuation in
                let passes = state.withLockedValue { state in
                    guard state.isHeld else { return true }
                    state.held.append(continuation)
                    return false
                }
                if passes { continuation.resume() }
            }
        }
        if Task.isCancelled { state.withLockedValue { $0.counts.cancelled += 1 } }
        try Task.checkCancellation()
        if let failure { throw failure }
        let contents = try await base.open(name, options: options)
        let bytes = try await contents.collect(upTo: .max)
        let pieces = stride(from: 0, to: bytes.readableBytes, by: chunk).compactMap {
            bytes.getSlice(at: bytes.readerIndex + $0, length: min(chunk, bytes.readableBytes - $0))
        }
        let chunks = AsyncStream<ByteBuffer>(unfolding: { [state, pieces, onChunk, delivered = Counter()] in
            let next = delivered.next() - 1
            guard next < pieces.count else { return nil }
            onChunk(next)
            state.withLockedValue { $0.counts.bytes += pieces[next].readableBytes }
            return pieces[next]
        })
        return StoredContents(info: contents.info, range: contents.range, chunks: chunks)
    }
}

/// Writes down what it is told.
final class RecordingRecorder: ImageSizeRecorder {
    private let box = NIOLockedValueBox<[StorageImage.SizeState]>([])
    var sizes: [StorageImage.SizeState] { box.withLockedValue { $0 } }
    func recordSize(_ size: StorageImage.SizeState, of name: StorageName) async {
        box.withLockedValue { $0.append(size) }
    }
}
