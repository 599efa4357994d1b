import NIOCore
import Storages
import StoredFilesTesting
import TestSupport
import Testing

@testable import StoragesS3

@Suite("Lost responses to the completion of uploads", .timeLimit(.minutes(2)))
struct LostCompletionTests {
    static let name = StorageName(unchecked: "file")

    private static func inParts(_ options: inout S3Options) {
        options.transfers.multipartThreshold = 5 << 20
        options.transfers.partSize = 5 << 20
    }

    @Test(
        "A multipart upload succeeds when the response to its completion is lost",
        arguments: [S3World.Server.swift, .rclone],
        [false, true]
    )
    func succeeds(server: S3World.Server, isAlwaysLost: Bool) async throws {
        let world = try await S3World.make(server)
        try await FaultProxy.with(upstream: (world.server.host, world.server.port)) { proxy in
            let storage = try world.storage(at: proxy.endpoint) { Self.inParts(&$0) }
            let completions = Counter()
            proxy.script { request, _ in
                guard request.isCompletion else { return .pass }
                return completions.next() == 1 || isAlwaysLost ? .cut(.answerLost, .reset) : .pass
            }
            let body = TestBytes.make((5 << 20) + 1)
            let file = try await storage.upload(
                .buffer(body),
                to: Self.name,
                options: UploadOptions(ifExists: .replace)
            )
            #expect(file.byteCount == Int64(body.readableBytes))
            #expect(file.entityTag != nil)
            // The first one, and the one whose answer tells; or as many as there may be, and a look at the file.
            #expect(isAlwaysLost ? completions.value >= 5 : completions.value == 2)
            // Nothing is given up that has become a file.
            #expect(!proxy.requests.contains { $0.method == "DELETE" })
            #expect(try await Self.read(world) == body)
            #expect(try await storage.info(for: Self.name).entityTag == file.entityTag)
        }
    }

    /// The file, by another way.
    private static func read(_ world: S3World) async throws -> ByteBuffer {
        try await world.storage().open(name).collect(upTo: 8 << 20)
    }

    @Test(
        "The file stays when the outcome of a completion remains unknown",
        arguments: [S3World.Server.swift, .rclone]
    )
    func stays(server: S3World.Server) async throws {
        let world = try await S3World.make(server)
        try await FaultProxy.with(upstream: (world.server.host, world.server.port)) { proxy in
            let storage = try world.storage(at: proxy.endpoint) { Self.inParts(&$0) }
            let completions = Counter()
            proxy.script { request, _ in
                if request.method == "HEAD" { return ScriptedBucket.answer(403) }
                guard request.isCompletion else { return .pass }
                return completions.next() == 1 ? .cut(.answerLost, .reset) : ScriptedBucket.failure(404, "NoSuchUpload")
            }
            let body = TestBytes.make((5 << 20) + 1)
            let error = await #expect(throws: StorageError.self) {
                let options = UploadOptions(ifExists: .replace)
                _ = try await storage.upload(.buffer(body), to: Self.name, options: options)
            }
            #expect(error?.code == .outcomeUnknown)
            #expect(completions.value == 2)
            // The upload is given up in case there still is one, and never the file.
            let deletions = proxy.requests.filter { $0.method == "DELETE" }
            #expect(!deletions.isEmpty)
            #expect(deletions.allSatisfy { $0.isAbort })
            #expect(try await Self.read(world) == body)
        }
    }

    @Test("The outcome of a completion is unknown when the file may be another upload's")
    func unknown() async throws {
        try await FaultProxy.with { proxy in
            let completions = Counter()
            proxy.script { request, _ in
                guard request.isCompletion else { return MultipartScript.answer(request) }
                return completions.next() == 1
                    ? ScriptedBucket.failure(500, "InternalError") : ScriptedBucket.failure(404, "NoSuchUpload")
            }
            let storage = try ScriptedBucket.storage(proxy) { Self.inParts(&$0) }
            let error = await #expect(throws: StorageError.self) {
                let body = UploadBody.buffer(ByteBuffer(repeating: 7, count: (5 << 20) + 1))
                _ = try await storage.upload(body, to: Self.name, options: UploadOptions(ifExists: .replace))
            }
            #expect(error?.code == .outcomeUnknown)
            #expect(completions.value == 2)
            let deletions = proxy.requests.filter { $0.method == "DELETE" }
            #expect(!deletions.isEmpty)
            #expect(deletions.allSatisfy { $0.isAbort })
        }
    }

    @Test("A multipart upload that another client has aborted fails as unavailable")
    func aborted() async throws {
        try await FaultProxy.with { proxy in
            proxy.script { request, _ in
                guard request.isCompletion else { return MultipartScript.answer(request) }
                return ScriptedBucket.failure(404, "NoSuchUpload")
            }
            let storage = try ScriptedBucket.storage(proxy) { Self.inParts(&$0) }
            let error = await #expect(throws: StorageError.self) {
                let body = UploadBody.buffer(ByteBuffer(repeating: 7, count: (5 << 20) + 1))
                _ = try await storage.upload(body, to: Self.name, options: UploadOptions(ifExists: .replace))
            }
            #expect(error?.code == .unavailable)
            #expect(proxy.requests.count { $0.isCompletion } == 1)
        }
    }
}
