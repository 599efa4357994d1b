import NIOConcurrencyHelpers
import NIOCore
import Storages

extension FaultyStorage {
    func begin(_ operation: Operation, _ names: [StorageName]) -> Fault? {
        let call = Call(operation: operation, names: names)
        let (queued, script, number) = state.withLockedValue { state in
            let number = (state.counts[operation] ?? 0) + 1
            state.counts[operation] = number
            if operation != .read { state.calls.append(call) }
            let fault = state.queued[operation].flatMap { $0.isEmpty ? nil : $0[0] }
            if fault != nil { state.queued[operation]?.removeFirst() }
            return (fault, state.script, number)
        }
        // Outside the lock: a script may look at the counts.
        return queued ?? script?(call, number)
    }

    func perform<Result>(
        _ operation: Operation,
        _ names: [StorageName],
        _ work: (Fault?) async throws -> Result
    ) async throws -> Result {
        let fault = begin(operation, names)
        switch fault {
        case .error(let error): throw error
        case .delay(let duration): try await Task.sleep(for: duration)
        case .run(let action): try await action()
        case .lostResponse, .breakAfter, nil: break
        }
        let result = try await work(fault)
        if case .lostResponse(let error) = fault { throw error }
        return result
    }

    static func breaking(_ body: UploadBody, _ limit: Int64, _ error: any Error) -> UploadBody {
        .stream(BreakingChunks(chunks: body.chunks, limit: limit, error: error), length: body.length)
    }

    private struct BreakingChunks: AsyncSequence, Sendable {
        typealias Element = ByteBuffer

        let chunks: UploadBody.Chunks
        let limit: Int64
        let error: any Error

        func makeAsyncIterator() -> AsyncIterator {
            AsyncIterator(chunks: chunks.makeAsyncIterator(), left: limit, error: error)
        }

        struct AsyncIterator: AsyncIteratorProtocol {
            var chunks: UploadBody.Chunks.AsyncIterator
            var left: Int64
            let error: any Error

            mutating func next() async throws -> ByteBuffer? {
                guard left > 0 else { throw error }
                guard var chunk = try await chunks.next() else { return nil }
                let part = chunk.readSlice(length: Int(Swift.min(left, Int64(chunk.readableBytes))))
                left -= Int64(part?.readableBytes ?? 0)
                return part
            }
        }
    }

    struct CountedChunks: AsyncSequence, Sendable {
        typealias Element = ByteBuffer

        let storage: FaultyStorage
        let contents: StoredContents
        let fault: Fault?

        func makeAsyncIterator() -> AsyncIterator {
            var left: Int64?
            if case .breakAfter(let bytes, _) = fault { left = bytes }
            return AsyncIterator(sequence: self, chunks: contents.makeAsyncIterator(), left: left)
        }

        struct AsyncIterator: AsyncIteratorProtocol {
            let sequence: CountedChunks
            var chunks: StoredContents.AsyncIterator
            var left: Int64?

            mutating func next() async throws -> ByteBuffer? {
                if case .breakAfter(_, let error) = sequence.fault, let left, left <= 0 { throw error }
                let storage = sequence.storage
                let fault = storage.begin(.read, [sequence.contents.info.name])
                switch fault {
                case .error(let error), .lostResponse(let error), .breakAfter(_, let error): throw error
                case .delay(let duration): try await Task.sleep(for: duration)
                case .run(let action): try await action()
                case nil: break
                }
                guard var chunk = try await chunks.next() else { return nil }
                if let left {
                    chunk = chunk.readSlice(length: Int(Swift.min(left, Int64(chunk.readableBytes)))) ?? chunk
                    self.left = left - Int64(chunk.readableBytes)
                }
                let count = Int64(chunk.readableBytes)
                storage.state.withLockedValue { $0.bytesRead += count }
                return chunk
            }
        }
    }

    struct CountedListing: AsyncSequence, Sendable {
        typealias Element = FileInfo

        let storage: FaultyStorage
        let files: FileListing

        func makeAsyncIterator() -> AsyncIterator {
            AsyncIterator(storage: storage, files: files.makeAsyncIterator())
        }

        struct AsyncIterator: AsyncIteratorProtocol {
            let storage: FaultyStorage
            var files: FileListing.AsyncIterator
            var hasBegun = false

            mutating func next() async throws -> FileInfo? {
                guard !hasBegun else { return try await files.next() }
                hasBegun = true
                let fault = storage.begin(.list, [])
                switch fault {
                case .error(let error), .lostResponse(let error), .breakAfter(_, let error): throw error
                case .delay(let duration): try await Task.sleep(for: duration)
                case .run(let action): try await action()
                case nil: break
                }
                return try await files.next()
            }
        }
    }
}
