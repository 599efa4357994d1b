import NIOConcurrencyHelpers
import NIOCore
import Storages
import TestSupport
import Testing

@testable import StoragesHTTP
@testable import StoragesS3

@Suite("Knowledge of a server's conditional writes", .timeLimit(.minutes(2)))
struct ConditionTrialTests {
    private let name = StorageName(unchecked: "file")
    private let path = "/bucket/file"
    private let fail = UploadOptions(ifExists: .fail)

    private func with(
        _ manners: ConditionalServer.Manners,
        _ server: S3Server,
        _ body: (S3Storage, ConditionalServer, FaultProxy) async throws -> Void
    ) async throws {
        let script = ConditionalServer(manners)
        try await FaultProxy.with { proxy in
            proxy.script { request, _ in script.answer(request) }
            let storage = try ScriptedBucket.storage(proxy) {
                $0.server = server
                $0.transfers.multipartThreshold = 5 << 20
                $0.transfers.partSize = 5 << 20
            }
            try await body(storage, script, proxy)
        }
    }

    private func writes(_ storage: S3Storage) -> ConditionalWrites {
        storage.conditions.withLockedValue { $0.writes }
    }

    // MARK: The state of the bucket

    @Test(
        "A conditional upload to a Ceph bucket with versions is refused before its source is read",
        arguments: [ConditionalServer.Versioning.enabled, .suspended, .forbidden, .notImplemented, .listing]
    )
    func cephWithVersions(versioning: ConditionalServer.Versioning) async throws {
        try await with(.ceph(versioning, keepsVersions: true), .ceph) { storage, server, _ in
            _ = try await storage.upload(.string("old"), to: name, options: UploadOptions(ifExists: .replace))
            let old = server.tag(of: path)
            let source = CountedSource(bytes: ByteBuffer(string: "new"))
            let error = await storageError {
                try await storage.upload(.stream(source, length: 3), to: name, options: fail)
            }
            #expect(error?.code == .unsupported)
            #expect(source.reads.value == 0)
            // The default.
            #expect(try await storage.upload(.string("new"), to: name).name != name)
            #expect(server.tag(of: path) == old)
            #expect(!storage.capabilities.contains(.conditionalUpload))
        }
    }

    @Test("The versioning state of a Ceph bucket without versions is requested only once")
    func cephWithoutVersions() async throws {
        try await with(.ceph(), .ceph) { storage, _, proxy in
            _ = try await storage.upload(.string("old"), to: name, options: fail)
            for _ in 1...3 {
                let error = await storageError { try await storage.upload(.string("new"), to: name, options: fail) }
                #expect(error?.code == .alreadyExists)
            }
            #expect(proxy.requests.count { $0.query == "versioning=" } == 1)
            #expect(proxy.count("PUT") == 4)
            #expect(storage.capabilities.contains(.conditionalUpload))
        }
    }

    @Test("A conditional upload is refused once a Ceph bucket begins to keep versions")
    func newVersions() async throws {
        try await with(.ceph(), .ceph) { storage, server, _ in
            _ = try await storage.upload(.string("old"), to: name, options: fail)
            server.change { $0 = .ceph(.enabled, keepsVersions: true) }
            _ = try await storage.upload(.string("x"), to: StorageName(unchecked: "other"), options: fail)
            let error = await storageError { try await storage.upload(.string("new"), to: name, options: fail) }
            #expect(error?.code == .unsupported)
            #expect(!storage.capabilities.contains(.conditionalUpload))
        }
    }

    @Test("No trial writes are sent to a bucket that locks every object")
    func locked() async throws {
        var manners = ConditionalServer.Manners()
        manners.versioning = .enabled
        manners.namesVersions = true
        manners.locksAllObjects = true
        try await with(manners, .generic) { storage, _, proxy in
            let found = try await storage.probeConditionalWrites()
            #expect(!found.contains(.conditionalUpload))
            let error = await storageError { try await storage.upload(.string("x"), to: name, options: fail) }
            #expect(error?.code == .unsupported)
            #expect(proxy.count("PUT") == 0)
        }
    }

    @Test("A trial in a bucket with versions deletes every version that it wrote")
    func versionsOfTrial() async throws {
        var manners = ConditionalServer.Manners()
        manners.versioning = .enabled
        manners.namesVersions = true
        try await with(manners, .generic) { storage, server, proxy in
            let found = try await storage.probeConditionalWrites()
            #expect(found.contains(.conditionalUpload))
            let count = proxy.requests.count { $0.method == "DELETE" && $0.query.hasPrefix("versionId=version") }
            #expect(count > 10)
            #expect(server.paths.isEmpty)
        }
    }

    // MARK: What was seen

    @Test(
        "A trial finds every condition that a correct server supports",
        arguments: [ConditionalServer.Tags.compared, .comparedBare]
    )
    func right(tags: ConditionalServer.Tags) async throws {
        var manners = ConditionalServer.Manners()
        (manners.tagsOnPut, manners.tagsOnComplete, manners.tagsOnDelete) = (tags, tags, tags)
        try await with(manners, .generic) { storage, server, _ in
            try await storage.probeConditionalWrites()
            let tag: ConditionalWrites.Tag = if case .compared = tags { .quoted } else { .bare }
            let both = ConditionalWrites.Conditions(absence: .ifNoneMatch, tag: tag)
            #expect(
                writes(storage) == ConditionalWrites(put: both, complete: both, copy: .ifNoneMatch, delete: tag)
            )
            #expect(server.paths.isEmpty)
        }
    }

    @Test("A server that overwrites in a trial counts as unsupported, whatever is claimed about it")
    func overwritten() async throws {
        var sure = S3Server.generic
        sure.conditionalWrites = true
        for server in [S3Server.minIO, .ceph, .seaweedFS, sure] {
            try await with(.none, server) { storage, _, _ in
                try await storage.probeConditionalWrites()
                #expect(writes(storage) == .unsupported)
                let error = await storageError { try await storage.upload(.string("x"), to: name, options: fail) }
                #expect(error?.code == .unsupported)
            }
        }
    }

    @Test("A successful trial does not override a known defect of the server")
    func claimedNo() async throws {
        try await with(ConditionalServer.Manners(), .seaweedFS) { storage, _, _ in
            try await storage.probeConditionalWrites()
            #expect(writes(storage).complete == .unsupported)
            #expect(writes(storage).put == .init(absence: .ifNoneMatch, tag: .quoted))
        }
    }

    @Test("Conditions count as unsupported when several concurrent writes of a trial succeed")
    func blind() async throws {
        var manners = ConditionalServer.Manners()
        manners.blindness = .milliseconds(300)
        try await with(manners, .generic) { storage, _, _ in
            try await storage.probeConditionalWrites()
            let writes = writes(storage)
            #expect(writes.put == .unsupported)
            #expect(writes.complete == .unsupported)
            #expect(writes.copy == .unsupported)
        }
    }

    @Test("A conditional upload of unknown length is refused when the keys may not run the trial")
    func forbidden() async throws {
        let script = ConditionalServer(ConditionalServer.Manners())
        try await FaultProxy.with { proxy in
            proxy.script { request, _ in
                request.method == "POST" && request.query == "uploads="
                    ? ScriptedBucket.failure(403, "AccessDenied") : script.answer(request)
            }
            let storage = try ScriptedBucket.storage(proxy)
            let source = CountedSource(bytes: ByteBuffer(string: "x"))
            let error = await storageError { try await storage.upload(.stream(source), to: name, options: fail) }
            #expect(error?.code == .unsupported)
            #expect(source.reads.value == 0)
            #expect(writes(storage).complete == .init())
            let count = proxy.requests.count
            // What could not be tried is not tried again with every upload.
            _ = try await storage.upload(.string("x"), to: name, options: fail)
            #expect(proxy.requests.count == count + 1)
        }
    }

    // MARK: Tags

    @Test("Entity tags are sent to Ceph without quotes, so that a replacement can succeed")
    func bareTags() async throws {
        try await with(.ceph(), .ceph) { storage, server, proxy in
            _ = try await storage.upload(.string("old"), to: name, options: fail)
            let tag = try #require(server.tag(of: path))
            let file = try await storage.replace(name, ifMatch: tag, with: .string("new"))
            #expect(proxy.requests.last { $0.method == "PUT" }?["If-Match"] == EntityTag.bare(tag))
            #expect(file.entityTag == server.tag(of: path))
            let stale = await storageError { try await storage.replace(name, ifMatch: tag, with: .string("x")) }
            #expect(stale?.code == .preconditionFailed)
            #expect(server.tag(of: path) == file.entityTag)
        }
    }

    @Test("An empty entity tag is refused as a condition")
    func emptyTag() async throws {
        try await with(ConditionalServer.Manners(), .minIO) { storage, server, _ in
            _ = try await storage.upload(.string("old"), to: name, options: fail)
            let tag = server.tag(of: path)
            let replaced = await storageError { try await storage.replace(name, ifMatch: "", with: .string("new")) }
            #expect(replaced?.code == .unsupported)
            let deleted = await storageError { try await storage.delete(name, ifMatch: "") }
            #expect(deleted?.code == .unsupported)
            #expect(server.tag(of: path) == tag)
        }
    }

    @Test("A rejected direct upload is deleted with a bare entity tag where the server needs one")
    func rejectedUpload() async throws {
        var manners = ConditionalServer.Manners()
        manners.tagsOnDelete = .comparedBare
        let script = ConditionalServer(manners)
        try await FaultProxy.with { proxy in
            proxy.script { request, _ in
                guard request.method == "GET", let tag = script.tag(of: request.path) else {
                    return script.answer(request)
                }
                return ScriptedBucket.answer(200, "bad", [("ETag", tag)])
            }
            let storage = try ScriptedBucket.storage(proxy)
            _ = try await storage.upload(.string("bad"), to: name, options: UploadOptions(ifExists: .replace))
            let error = await storageError { try await storage.verifyDirectUpload(name, size: 10...20) }
            #expect(error?.code == .corrupted)
            #expect(error?.underlying == nil)
            #expect(script.paths.isEmpty)
        }
    }

    // MARK: Uploads in parts

    @Test(
        "A replacement by multipart upload is refused when only single requests are conditional",
        arguments: [S3Server.ceph, .generic, .seaweedFS]
    )
    func replacingInParts(server: S3Server) async throws {
        var manners = ConditionalServer.Manners.ceph()
        if server != .ceph { manners.tagsOnPut = .compared }
        try await with(manners, server) { storage, script, proxy in
            _ = try await storage.upload(.string("old"), to: name, options: fail)
            let tag = try #require(script.tag(of: path))
            for length in [nil, Int64(6 << 20)] {
                let source = CountedSource(bytes: ByteBuffer(repeating: 1, count: 6 << 20))
                let error = await storageError {
                    try await storage.replace(name, ifMatch: tag, with: .stream(source, length: length))
                }
                #expect(error?.code == .unsupported)
                #expect(error?.message.contains("multipart upload") == true)
                #expect(source.reads.value == 0)
            }
            #expect(script.tag(of: path) == tag)
            // Up to the threshold one request takes it.
            let source = CountedSource(bytes: ByteBuffer(string: "new"))
            _ = try await storage.replace(name, ifMatch: tag, with: .stream(source, length: 3))
            #expect(script.tag(of: path) != tag)
        }
    }

    @Test("A conditional multipart upload replaces the expected version and no other")
    func replacedInParts() async throws {
        try await with(ConditionalServer.Manners(), .generic) { storage, script, proxy in
            _ = try await storage.upload(.string("old"), to: name, options: fail)
            let tag = try #require(script.tag(of: path))
            let body = ByteBuffer(repeating: 1, count: 6 << 20)
            _ = try await storage.replace(name, ifMatch: tag, with: .buffer(body))
            let completion = proxy.requests.last { $0.method == "POST" && $0.query.hasPrefix("uploadId") }
            #expect(completion?["If-Match"] == tag)
            let stale = await storageError { try await storage.replace(name, ifMatch: tag, with: .buffer(body)) }
            #expect(stale?.code == .preconditionFailed)
        }
    }

    @Test("A conditional multipart copy is refused when only single-request copies are conditional")
    func largeCopies() async throws {
        let manners = ConditionalServer.Manners(absenceOnComplete: false)
        let script = ConditionalServer(manners)
        try await FaultProxy.with { proxy in
            proxy.script { request, _ in
                guard request.method == "HEAD", request.path.hasSuffix("/large") else {
                    return request["x-amz-copy-source-range"] == nil
                        ? script.answer(request)
                        : ScriptedBucket.answer(200, "<CopyPartResult><ETag>\"p\"</ETag></CopyPartResult>")
                }
                var answer = FaultProxy.Answer(200, headers: [("ETag", "\"large\"")])
                answer.framing = .announced(6 << 30)
                return .answer(answer)
            }
            let storage = try ScriptedBucket.storage(proxy) { $0.server = .seaweedFS }
            let source = StorageName(unchecked: "large")
            let error = await storageError { try await storage.copy(source, to: name, options: fail) }
            #expect(error?.code == .unsupported)
            #expect(proxy.count("POST") == 0)
            #expect(!proxy.requests.contains { $0.method == "GET" && $0.path.hasSuffix("/large") })
            // The default takes a name of its own.
            let copy = try await storage.copy(source, to: name, options: UploadOptions())
            #expect(copy.name != name)
        }
    }
}
