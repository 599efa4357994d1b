import Storages
import StoragesS3
import TestSupport
import Testing

@Suite("Idle TLS connections that the server closes", .timeLimit(.minutes(2)))
struct ClosedIdleConnectionTests {
    @Test("Requests succeed after the server has closed all idle TLS connections")
    func requestsSucceed() async throws {
        try await FaultProxy.with { server async throws in
            let object = ScriptedObject(1000)
            server.script { request, index in
                var answer = object.answer(to: request)
                // All are under way before the first is done, so each has a connection of its own.
                if index < 12 { answer.body.insert(.pause(.milliseconds(500)), at: 0) }
                return .answer(answer)
            }
            try await TLSIdleCloser.with(before: (server.host, server.port)) { closer async throws in
                var options = S3Options()
                options.tls.certificateAuthorityFile = closer.caFile
                // Only what is not counted as a retry is left.
                options.retries = .none
                let storage = try S3Storage(
                    bucketName: "bucket",
                    endpointURL: "localhost:\(closer.port)",
                    accessKeyID: "AKIDTESTER",
                    secretAccessKey: "secret",
                    region: "us-east-1",
                    options: options
                )
                try await read(12, storage, object)
                let idle = server.connections.count
                #expect(idle == 12)
                closer.closeIdleConnections()
                try await waitUntil { closer.closedCount >= idle }
                #expect(closer.closedCount == idle)
                try await read(1, storage, object)
                try await read(50, storage, object)
                #expect(server.requests.count == 63)
            }
        }
    }

    private func read(_ count: Int, _ storage: S3Storage, _ object: ScriptedObject) async throws {
        let name = try StorageName(validating: "file")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<count {
                group.addTask {
                    let bytes = try await storage.open(name).collect(upTo: 10_000)
                    #expect(bytes == object.bytes)
                }
            }
            try await group.waitForAll()
        }
    }
}
