import NIOCore
import Storages
import StoragesHTTP

/// The bytes of an object, in order, from one response or from several ranges that are fetched at the same time.
struct S3Download: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    let storage: S3Storage
    let name: StorageName
    /// The version that was asked for; `nil` for the current one.
    let version: String?
    let head: DownloadHead
    let range: Range<Int64>
    let first: HTTPResponse

    /// A Boolean value that indicates whether several ranges are fetched: the file is large, its version can be named,
    /// and the server supports ranges.
    private var isRanged: Bool {
        let transfers = storage.options.transfers
        return transfers.downloadConcurrency > 1
            && range.upperBound - range.lowerBound > transfers.rangedDownloadThreshold
            && head.strongTag != nil && head.isAsStored
            && (first.status == 206 || head.headers["Accept-Ranges"]?.lowercased() == "bytes")
    }

    func makeAsyncIterator() -> AsyncIterator {
        let version = ResumingReader.Version(
            name: name,
            id: version,
            total: head.info.byteCount,
            tag: head.isAsStored ? head.strongTag : nil
        )
        let size = storage.options.transfers.rangeSize
        let firstEnd = isRanged ? Swift.min(range.lowerBound + size, range.upperBound) : range.upperBound
        let reader = ResumingReader(
            storage,
            version,
            range: range.lowerBound..<firstEnd,
            opened: (first, head.delivered)
        )
        let rest =
            firstEnd < range.upperBound
            ? RangeFetcher(storage, version, range: firstEnd..<range.upperBound) : nil
        let isWhole = range == 0..<head.info.byteCount && head.delivered == range
        // A checksum that libcrypto cannot compute is not checked; the length is, always.
        let check = isWhole ? (try? DownloadCheck(head.headers)) ?? nil : nil
        return AsyncIterator(name: name, label: storage.label, reader: reader, rest: rest, check: check)
    }

    struct AsyncIterator: AsyncIteratorProtocol {
        let name: StorageName
        let label: String
        var reader: ResumingReader?
        let rest: RangeFetcher?
        var check: DownloadCheck?

        mutating func next() async throws -> ByteBuffer? {
            if let chunk = try await advance() {
                check?.update(chunk)
                return chunk
            }
            if let finished = check {
                check = nil
                guard try finished.finish() else {
                    throw StorageError(
                        .corrupted,
                        "The bytes that arrived do not match the \(finished.algorithm) that the server has of them. "
                            + "Open the file again.",
                        name: name,
                        storage: label
                    )
                }
            }
            return nil
        }

        private mutating func advance() async throws -> ByteBuffer? {
            rest?.start()
            if reader != nil {
                if let chunk = try await reader?.next() { return chunk }
                reader = nil
            }
            return try await rest?.next()
        }
    }
}

/// Fetches the ranges that come after the first, some ahead of the reader.
//
// @unchecked: used by the one task that iterates; the tasks that it starts share nothing with it but their results.
final class RangeFetcher: @unchecked Sendable {
    private let storage: S3Storage
    private let version: ResumingReader.Version
    private let end: Int64
    private var position: Int64
    private var ahead: CircularBuffer<Task<[ByteBuffer], any Error>> = []
    private var current: CircularBuffer<ByteBuffer> = []

    init(_ storage: S3Storage, _ version: ResumingReader.Version, range: Range<Int64>) {
        self.storage = storage
        self.version = version
        position = range.lowerBound
        end = range.upperBound
    }

    deinit {
        ahead.forEach { $0.cancel() }
    }

    /// Begins to fetch as many ranges as are allowed at the same time.
    func start() {
        // The range that is being read counts.
        while ahead.count < storage.options.transfers.downloadConcurrency - 1, position < end {
            let range = position..<min(position + storage.options.transfers.rangeSize, end)
            position = range.upperBound
            ahead.append(
                Task { [storage, version] in
                    var reader = ResumingReader(storage, version, range: range)
                    var chunks: [ByteBuffer] = []
                    while let chunk = try await reader.next() { chunks.append(chunk) }
                    return chunks
                }
            )
        }
    }

    func next() async throws -> ByteBuffer? {
        while true {
            if let chunk = current.popFirst() { return chunk }
            guard let task = ahead.popFirst() else { return nil }
            let chunks = try await withTaskCancellationHandler {
                try await task.value
            } onCancel: {
                task.cancel()
            }
            current.append(contentsOf: chunks)
            start()
        }
    }
}
