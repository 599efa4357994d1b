import NIOConcurrencyHelpers
import NIOCore
import Storages
import TestSupport

@testable import StoragesHTTP
@testable import StoragesS3

/// A server in a script that keeps tags, and looks at conditions as a real one does.
final class ConditionalServer: Sendable {
    /// The treatment of an entity tag.
    enum Tags: Sendable {
        case ignored
        /// With quotes or without.
        case compared
        /// As the value comes, with a tag of its own that has no quotes: Ceph's manner.
        case comparedBare
    }

    /// The response to GetBucketVersioning.
    enum Versioning: Sendable {
        case never, enabled, suspended, forbidden, notImplemented, listing
    }

    struct Manners: Sendable {
        var absenceOnPut = true
        var absenceOnComplete = true
        var absenceOnCopy = true
        var tagsOnPut = Tags.compared
        var tagsOnComplete = Tags.compared
        var tagsOnDelete = Tags.compared
        var versioning = Versioning.never
        /// A Boolean value that indicates whether responses to writes name a version.
        var namesVersions = false
        var locksAllObjects = false
        /// The time for which an object that is being written cannot be seen: a client that looks before it ends
        /// writes, too.
        var blindness = Duration.zero

        /// Looks at nothing.
        static let none = Manners(
            absenceOnPut: false,
            absenceOnComplete: false,
            absenceOnCopy: false,
            tagsOnPut: .ignored,
            tagsOnComplete: .ignored,
            tagsOnDelete: .ignored
        )

        /// Ceph 16 and 18, as they were measured.
        static func ceph(_ versioning: Versioning = .never, keepsVersions: Bool = false) -> Manners {
            Manners(
                absenceOnPut: !keepsVersions,
                absenceOnComplete: false,
                absenceOnCopy: false,
                tagsOnPut: .comparedBare,
                tagsOnComplete: .ignored,
                tagsOnDelete: .ignored,
                versioning: versioning,
                namesVersions: keepsVersions
            )
        }
    }

    private struct Object {
        var tag: String
        var visible: ContinuousClock.Instant
    }

    private let manners: NIOLockedValueBox<Manners>
    private let objects = NIOLockedValueBox<[String: Object]>([:])
    private let counter = Counter()

    init(_ manners: Manners) {
        self.manners = NIOLockedValueBox(manners)
    }

    func change(_ body: (inout Manners) -> Void) {
        manners.withLockedValue { body(&$0) }
    }

    /// The tag of an object, with its quotes.
    func tag(of path: String) -> String? {
        objects.withLockedValue { $0[path].map { "\"\($0.tag)\"" } }
    }

    var paths: Set<String> { objects.withLockedValue { Set($0.keys) } }

    func answer(_ request: FaultProxy.Request) -> FaultProxy.Action {
        let manners = manners.withLockedValue { $0 }
        switch (request.method, request.query) {
        case ("GET", "versioning="): return versioning(manners.versioning)
        case ("GET", "object-lock="):
            guard manners.locksAllObjects else {
                return ScriptedBucket.failure(404, "ObjectLockConfigurationNotFoundError")
            }
            return ScriptedBucket.answer(
                200,
                "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention>"
                    + "<Mode>COMPLIANCE</Mode><Days>1</Days></DefaultRetention></Rule></ObjectLockConfiguration>"
            )
        case ("POST", "uploads="), ("GET", _): return MultipartScript.answer(request)
        case ("POST", "delete="): return ScriptedBucket.failure(501, "NotImplemented")
        case ("PUT", let query) where query.contains("partNumber"): return MultipartScript.answer(request)
        case ("DELETE", let query) where query.contains("uploadId"): return ScriptedBucket.answer(204)
        case ("POST", _):
            return write(request, manners, manners.absenceOnComplete, manners.tagsOnComplete) {
                "<CompleteMultipartUploadResult><ETag>\"\($0)\"</ETag></CompleteMultipartUploadResult>"
            }
        case ("PUT", _) where request["x-amz-copy-source"] != nil:
            return write(request, manners, manners.absenceOnCopy, .ignored) {
                "<CopyObjectResult><ETag>\"\($0)\"</ETag></CopyObjectResult>"
            }
        case ("PUT", _): return write(request, manners, manners.absenceOnPut, manners.tagsOnPut) { _ in " " }
        case ("DELETE", _):
            return objects.withLockedValue { objects in
                let refused = refusal(request, objects[request.path], false, manners.tagsOnDelete)
                if let refused { return refused }
                objects[request.path] = nil
                return ScriptedBucket.answer(204)
            }
        case ("HEAD", _):
            guard let tag = tag(of: request.path) else { return ScriptedBucket.answer(404) }
            return ScriptedBucket.answer(200, "", [("ETag", tag), ("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT")])
        default: return ScriptedBucket.failure(501, "NotImplemented")
        }
    }

    private func versioning(_ versioning: Versioning) -> FaultProxy.Action {
        let start = "<VersioningConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
        return switch versioning {
        case .never: ScriptedBucket.answer(200, start + "</VersioningConfiguration>")
        case .enabled: ScriptedBucket.answer(200, start + "<Status>Enabled</Status></VersioningConfiguration>")
        case .suspended: ScriptedBucket.answer(200, start + "<Status>Suspended</Status></VersioningConfiguration>")
        case .forbidden: ScriptedBucket.failure(403, "AccessDenied")
        case .notImplemented: ScriptedBucket.failure(501, "NotImplemented")
        case .listing:
            ScriptedBucket.answer(200, "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>")
        }
    }

    private func write(
        _ request: FaultProxy.Request,
        _ manners: Manners,
        _ looksForAbsence: Bool,
        _ tags: Tags,
        _ body: (String) -> String
    ) -> FaultProxy.Action {
        objects.withLockedValue { objects in
            let old = objects[request.path]
            if let refused = refusal(request, old, looksForAbsence, tags) { return refused }
            let number = counter.next()
            let tag = "tag\(number)"
            objects[request.path] = Object(tag: tag, visible: .now + manners.blindness)
            var answer = FaultProxy.Answer(200, headers: [("ETag", "\"\(tag)\"")], body: body(tag))
            if manners.blindness > .zero { answer.body.insert(.pause(manners.blindness), at: 0) }
            if manners.namesVersions { answer.headers.append(("x-amz-version-id", "version\(number)")) }
            return .answer(answer)
        }
    }

    private func refusal(
        _ request: FaultProxy.Request,
        _ object: Object?,
        _ looksForAbsence: Bool,
        _ tags: Tags
    ) -> FaultProxy.Action? {
        let isSeen = object.map { $0.visible <= .now } ?? false
        if looksForAbsence, request["If-None-Match"] != nil, isSeen {
            return ScriptedBucket.failure(412, "PreconditionFailed")
        }
        guard let wanted = request["If-Match"] else { return nil }
        let isRight =
            switch tags {
            case .ignored: true
            case .compared: object.map { EntityTag.bare(wanted) == $0.tag || !isSeen } ?? false
            case .comparedBare: object.map { wanted == $0.tag } ?? false
            }
        return isRight ? nil : ScriptedBucket.failure(412, "PreconditionFailed")
    }
}

extension S3Storage {
    /// Has it believe something of its server, as if it had been tried.
    func assume(_ change: (inout ConditionalWrites) -> Void) {
        conditions.withLockedValue { conditions in
            var claims = conditions.claims
            claims.change(change)
            conditions = KnownConditions(claims)
        }
    }
}

/// A body that counts how often it is asked for bytes.
struct CountedSource: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    let bytes: ByteBuffer
    let reads = Counter()

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(rest: bytes, reads: reads) }

    struct AsyncIterator: AsyncIteratorProtocol {
        var rest: ByteBuffer
        let reads: Counter

        mutating func next() async -> ByteBuffer? {
            reads.next()
            guard rest.readableBytes > 0 else { return nil }
            return rest.readSlice(length: Swift.min(1 << 20, rest.readableBytes))
        }
    }
}
