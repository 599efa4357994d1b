import NIOCore
import Storages
import StoragesHTTP

/// Reads a range of one version of an object, from as many responses as it takes.
struct ResumingReader {
    /// The version of an object that is read, and that must not change meanwhile.
    struct Version: Sendable {
        var name: StorageName
        /// The id of the version that was asked for.
        var id: String?
        var total: Int64
        /// The entity tag of the version; `nil` when an interrupted transfer cannot go on.
        var tag: String?
    }

    /// The number of bytes of progress after which earlier interruptions do not count any more.
    private static let progressThatResetsResumptions: Int64 = 8 << 20

    private let storage: S3Storage
    private let version: Version
    private let end: Int64
    private var position: Int64
    private var body: HTTPResponseBody.AsyncIterator?
    /// The number of bytes of the response that come before those that are wanted.
    private var toSkip: Int64 = 0
    /// A Boolean value that indicates whether the response ends where the range does.
    private var endsTogether = false
    /// The responses so far; each counts as an attempt.
    private var attempts: RetryAttempts
    private var lastResumption: Int64

    /// Creates a reader that begins with a response that has arrived, or with none.
    init(
        _ storage: S3Storage,
        _ version: Version,
        range: Range<Int64>,
        opened: (response: HTTPResponse, delivered: Range<Int64>)? = nil
    ) {
        self.storage = storage
        self.version = version
        position = range.lowerBound
        lastResumption = range.lowerBound
        end = range.upperBound
        let resumptions = storage.options.transfers.downloadResumptions
        attempts = RetryAttempts(
            storage.options.retries.policy.withDelays(maxAttempts: max(resumptions, resumptions &+ 1))
        )
        if let opened { take(opened.response, delivering: opened.delivered) }
    }

    private mutating func take(_ response: HTTPResponse, delivering delivered: Range<Int64>) {
        if version.tag != nil { response.allowSettingAside() }
        body = response.body.makeAsyncIterator()
        toSkip = position - delivered.lowerBound
        endsTogether = delivered.upperBound == end
    }

    /// Returns the next bytes; `nil` at the end of the range.
    mutating func next() async throws -> ByteBuffer? {
        while true {
            if position == end { return try await finish() }
            if body == nil { try await open() }
            do {
                guard var chunk = try await body?.next() else {
                    throw HTTPFailure(.truncated, "The response ended before its length.")
                }
                if let wanted = trimmed(&chunk) { return wanted }
            } catch let failure as HTTPFailure where failure.kind == .setAside {
                // Nothing went wrong: the next request waits for a connection as all do.
                body = nil
            } catch let failure as HTTPFailure {
                body = nil
                try await prepareToResume(after: failure)
            }
        }
    }

    private mutating func trimmed(_ chunk: inout ByteBuffer) -> ByteBuffer? {
        let skipped = Int(min(toSkip, Int64(chunk.readableBytes)))
        chunk.moveReaderIndex(forwardBy: skipped)
        toSkip -= Int64(skipped)
        let wanted = chunk.readSlice(length: Int(min(Int64(chunk.readableBytes), end - position)))
        guard let wanted, wanted.readableBytes > 0 else { return nil }
        position += Int64(wanted.readableBytes)
        if position - lastResumption >= Self.progressThatResetsResumptions { attempts.restart() }
        return wanted
    }

    /// Waits for the end of the response, after which its connection can serve another request.
    private mutating func finish() async throws -> ByteBuffer? {
        defer { body = nil }
        guard endsTogether else { return nil }
        do {
            guard let more = try await body?.next(), more.readableBytes > 0 else { return nil }
        } catch is HTTPFailure {
            // All bytes are there; only the connection is lost.
            return nil
        }
        throw changed("more bytes came than were announced")
    }

    // MARK: Going on

    private mutating func prepareToResume(after failure: HTTPFailure) async throws {
        let problem = S3Failure(
            S3Operation("GetObject", .get, key: version.name.string),
            bucket: storage.bucketName,
            .transport(failure)
        )
        guard version.tag != nil, try await attempts.wait(after: RetryVerdict(problem)) else {
            throw problem.storageError(version.name, storage.label)
        }
        lastResumption = position
    }

    private mutating func open() async throws {
        let operation = try storage.download(
            version.name,
            version: version.id,
            range: S3Range.header(.bytes(position..<end)),
            ifMatch: version.tag
        )
        let response: HTTPResponse
        do {
            response = try await storage.client.open(operation)
        } catch let failure as S3Failure {
            switch failure.status {
            case 412, 416: throw changed("it has another version now")
            case 404: throw changed("it is gone")
            default: throw failure.storageError(version.name, storage.label)
            }
        }
        let head = try DownloadHead(version.name, response, UserMetadata(), storage: storage.label)
        // Not every server evaluates If-Match, so the entity tag of the response is what counts.
        guard head.info.entityTag == version.tag, head.info.byteCount == version.total else {
            throw changed("it has another version now")
        }
        guard head.delivered.lowerBound <= position, head.delivered.upperBound >= end else {
            throw changed("another part of it came than was asked for")
        }
        take(response, delivering: head.delivered)
    }

    private func changed(_ reason: String) -> StorageError {
        StorageError(
            .changedDuringRead,
            "The file changed while it was being read: \(reason). Open it again.",
            name: version.name,
            storage: storage.label
        )
    }
}
