import NIOConcurrencyHelpers
import NIOCore
import Storages
import StoragesHTTP

/// The plan by which a body is cut into parts.
struct PartPlan: Hashable, Sendable {
    /// The size of each part but the last.
    var partSize: Int64
    /// The largest number of parts.
    var maxParts: Int
    /// The number of bytes that are read before it is decided whether there are several parts at all.
    var firstSize: Int64

    /// Makes a plan.
    ///
    /// - Parameters:
    ///   - length: The number of bytes, when that is known.
    ///   - transfers: The options of the user.
    ///   - profile: The limits of the server.
    /// - Throws: ``StorageError`` with code `tooLarge` when the server takes no such file.
    init(_ length: Int64?, _ transfers: S3Transfers, _ profile: EndpointProfile) throws {
        maxParts = profile.maxParts
        guard let length else {
            partSize = max(transfers.partSizeOfUnknownLength, profile.minPartSize)
            firstSize = partSize
            return
        }
        let wanted = max(transfers.partSize, profile.minPartSize)
        let least = Self.divided(length, by: Int64(maxParts))
        // Whole mebibytes, so that the parts of equal files are equal.
        partSize = max(wanted, Self.divided(least, by: 1 << 20) << 20)
        firstSize = length <= transfers.multipartThreshold ? max(length, 1) : partSize
        guard partSize <= Self.largestPart else {
            throw StorageError(
                .tooLarge,
                "The file has \(length) bytes, and an upload has at most \(maxParts) parts of 5 GiB. Send less."
            )
        }
    }

    /// The largest part that Amazon S3 allows; every other server has the same limit.
    ///
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>
    private static let largestPart: Int64 = 5 << 30

    private static func divided(_ count: Int64, by divisor: Int64) -> Int64 {
        count / divisor + (count % divisor == 0 ? 0 : 1)
    }
}

/// A part of a body, as a whole in memory.
///
/// A class, so that the sender of the bytes can release them although others still hold the part.
final class UploadPart: Sendable {
    /// The number of the part, from 1.
    let number: Int
    /// The number of bytes of the body that the part stands for; it differs from its own size in a content coding.
    let sourceByteCount: Int64
    /// A Boolean value that indicates whether this is the last part.
    let isLast: Bool
    private let body: NIOLockedValueBox<HTTPBody>
    /// The share of the memory for parts that this part holds.
    private let share: PartShare

    init(number: Int, body: HTTPBody, sourceByteCount: Int64, isLast: Bool, share: PartShare) {
        self.number = number
        self.sourceByteCount = sourceByteCount
        self.isLast = isLast
        self.body = NIOLockedValueBox(body)
        self.share = share
    }

    /// Takes the bytes out of the part, which is empty afterwards.
    func takeBody() -> HTTPBody {
        body.withLockedValue { body in
            defer { body = HTTPBody() }
            return body
        }
    }

    /// Gives the memory of the bytes back, when they are not needed any more.
    func release() {
        share.release()
    }
}

/// Cuts a body into parts, and waits for memory for the bytes that have come before it reads on.
///
/// Used by one task; not `Sendable`.
final class UploadParts {
    private let chunks: EncodedChunks
    private let plan: PartPlan
    private let memory: PartMemory
    private let waitLimit: Duration
    private let name: StorageName
    private var rest = ByteBuffer()
    private var number = 0
    /// The bytes of the parts so far, and those of the body that they stand for.
    private var cut: Int64 = 0
    private var source: Int64 = 0
    private var hasEnded = false

    init(_ chunks: EncodedChunks, of name: StorageName, plan: PartPlan, memory: PartMemory, waitLimit: Duration) {
        self.chunks = chunks
        self.plan = plan
        self.memory = memory
        self.waitLimit = waitLimit
        self.name = name
    }

    /// Returns the next part; `nil` after the last one, and for an empty body.
    func next() async throws -> UploadPart? {
        guard !hasEnded else { return nil }
        guard number < plan.maxParts else {
            throw StorageError(
                .tooLarge,
                "The source has more bytes than \(plan.maxParts) parts of \(plan.partSize) bytes hold. Announce its "
                    + "length, or raise the option transfers.partSizeOfUnknownLength.",
                name: name
            )
        }
        let size = number == 0 ? plan.firstSize : plan.partSize
        // The first bytes of an upload need no share of the memory, so that small files wait for nobody.
        var free = number == 0 ? PartMemory.freeShare : 0
        let share = memory.part(claim: Int(min(size, Int64(Int.max))) - free)
        var body = HTTPBody()
        while Int64(body.byteCount) < size, try await fill() {
            let count = Int(min(Int64(rest.readableBytes), size - Int64(body.byteCount)))
            let isFree = min(free, count)
            free -= isFree
            if count > isFree { try await take(count - isFree, of: share) }
            if let slice = rest.readSlice(length: count) { body.append(slice) }
        }
        share.complete()
        // Whether another part comes decides how this one is sent.
        hasEnded = try await !fill()
        guard body.byteCount > 0 else { return nil }
        number += 1
        cut += Int64(body.byteCount)
        let behind = source
        source = chunks.sourceByteCount(of: cut)
        return UploadPart(
            number: number,
            body: body,
            sourceByteCount: source - behind,
            isLast: hasEnded,
            share: share
        )
    }

    private func take(_ count: Int, of share: PartShare) async throws {
        do {
            try await share.take(count, within: waitLimit)
        } catch is WaitLimitPassed {
            throw StorageError(
                .timeout,
                "Other uploads held the memory for parts for \(waitLimit), so nothing was stored. Upload fewer files "
                    + "at a time, or raise the option transfers.memoryBudget or transfers.waitLimit.",
                name: name
            )
        }
    }

    /// Reads a chunk unless bytes are left; returns `false` at the end.
    private func fill() async throws -> Bool {
        while rest.readableBytes == 0 {
            guard let chunk = try await chunks.next() else { return false }
            rest = chunk
        }
        return true
    }
}

/// The chunks of an upload's body as they are stored: unchanged, or in a content coding.
///
/// Used by one task; not `Sendable`.
final class EncodedChunks {
    private let driver: BodyDriver
    private let source: WatchedSource
    private let encoder: (any ContentTransform)?
    private var input = ByteBuffer()
    private var hasEnded = false

    /// Makes the chunks of a body.
    ///
    /// - Parameters:
    ///   - driver: The body.
    ///   - coding: The content coding in which they are stored; `nil` to store them unchanged.
    ///   - limit: The longest that the source may deliver nothing; `nil` for a source that has limits of its own.
    init(_ driver: BodyDriver, _ coding: (any ContentCoding)?, sourceTimeout limit: Duration?) throws {
        self.driver = driver
        source = WatchedSource(driver, limit)
        encoder = try coding?.makeEncoder()
    }

    /// The number of bytes of the body that correspond to a number of stored bytes.
    ///
    /// - Parameter storedCount: The number of stored bytes that were handed out and used so far.
    func sourceByteCount(of storedCount: Int64) -> Int64 {
        encoder == nil ? storedCount : driver.byteCount
    }

    /// Returns the next chunk; `nil` after the last one.
    func next() async throws -> ByteBuffer? {
        guard let encoder else { return try await source.next() }
        while !hasEnded {
            if let chunk = try encoder.next(from: &input) { return chunk }
            if let chunk = try await source.next() {
                input = chunk
            } else {
                hasEnded = true
            }
        }
        return try encoder.finish()
    }
}
