import NIOCore
import Storages
import StoredFilesTesting
import Testing

@testable import StoragesS3

@Suite("The answer to a completion is lost", .timeLimit(.minutes(2)))
struct LostCompletionTests {
    static let name = StorageName(unchecked: "file")

    @Test("and the upload succeeds", arguments: [S3World.Server.swift, .rclone])
    func succeeds(server: S3World.Server) async throws {
        let world = try await S3World.make(server)
        try await FaultProxy.with(upstream: (world.server.host, world.server.port)) { proxy in
            let storage = try world.storage(at: proxy.endpoint) {
                $0.transfers.multipartThreshold = 5 << 20
                $0.transfers.partSize = 5 << 20
            }
            let completions = Counter()
            proxy.script { request, _ in
                guard request.method == "POST", request.query.hasPrefix("uploadId=") else { return .pass }
                return completions.next() == 1 ? .cut(.answerLost, .reset) : .pass
            }
            let body = ByteBuffer(repeating: 7, count: (5 << 20) + 1)
            let file = try await storage.upload(
                .buffer(body),
                to: Self.name,
                options: UploadOptions(ifExists: .replace)
            )
            #expect(file.byteCount == Int64(body.readableBytes))
            #expect(file.entityTag != nil)
            #expect(try await storage.info(for: Self.name).byteCount == Int64(body.readableBytes))
            #expect(completions.value >= 1)
        }
    }

    @Test("and the file is somebody else's, so nobody knows")
    func unknown() async throws {
        try await FaultProxy.with { proxy in
            let completions = Counter()
            proxy.script { request, _ in
                guard request.method == "POST", request.query.hasPrefix("uploadId=") else {
                    return MultipartScript.answer(request)
                }
                return completions.next() == 1
                    ? ScriptedBucket.failure(500, "InternalError") : ScriptedBucket.failure(404, "NoSuchUpload")
            }
            let storage = try ScriptedBucket.storage(proxy) {
                $0.transfers.multipartThreshold = 5 << 20
                $0.transfers.partSize = 5 << 20
            }
            let error = await #expect(throws: StorageError.self) {
                let body = UploadBody.buffer(ByteBuffer(repeating: 7, count: (5 << 20) + 1))
                _ = try await storage.upload(body, to: Self.name, options: UploadOptions(ifExists: .replace))
            }
            #expect(error?.code == .outcomeUnknown)
        }
    }

    @Test("An upload that was aborted by somebody else is not a file that is missing")
    func aborted() async throws {
        try await FaultProxy.with { proxy in
            proxy.script { request, _ in
                guard request.method == "POST", request.query.hasPrefix("uploadId=") else {
                    return MultipartScript.answer(request)
                }
                return ScriptedBucket.failure(404, "NoSuchUpload")
            }
            let storage = try ScriptedBucket.storage(proxy) {
                $0.transfers.multipartThreshold = 5 << 20
                $0.transfers.partSize = 5 << 20
            }
            let error = await #expect(throws: StorageError.self) {
                let body = UploadBody.buffer(ByteBuffer(repeating: 7, count: (5 << 20) + 1))
                _ = try await storage.upload(body, to: Self.name, options: UploadOptions(ifExists: .replace))
            }
            #expect(error?.code == .unavailable)
        }
    }
}
