import NIOCore
import Storages
import StoragesS3
import TestSupport
import Testing

@Suite("Uploads with the header Expect", .timeLimit(.minutes(2)))
struct ExpectContinueTests {
    @Test(
        "Uploads send the header Expect from 1 MiB on, and arrive without 100 Continue",
        arguments: [(1, false), ((1 << 20) - 1, false), (1 << 20, true), (64 << 20, true)]
    )
    func asks(count: Int, asks: Bool) async throws {
        try await FaultProxy.with(hashesBodies: true) { proxy async throws in
            // The script waits for the body and says nothing before.
            var answer = FaultProxy.Answer(200, headers: [("ETag", "\"tag\"")])
            answer.sendsContinue = false
            let silent = answer
            proxy.script { _, _ in .answer(silent) }
            let storage = try proxy.storage { $0.transfers.multipartThreshold = 64 << 20 }
            let name = try StorageName(validating: "file")
            let bytes = TestBytes.make(count)
            let file = try await storage.upload(.buffer(bytes), to: name, options: .init(ifExists: .replace))
            #expect(file.byteCount == Int64(count))
            let request = try #require(proxy.requests.first)
            #expect(proxy.requests.count == 1)
            #expect((request["Expect"] != nil) == asks)
            #expect(request["Content-Length"] == "\(count)")
            #expect(request["Transfer-Encoding"] == nil)
            #expect(request.bodyByteCount == count)
            #expect(request.bodySHA256 == request["x-amz-content-sha256"])
        }
    }

    @Test("An upload that is refused before its body is sent reports the reason")
    func refused() async throws {
        try await FaultProxy.with { proxy async throws in
            var answer = FaultProxy.Answer.error(403, "AccessDenied")
            answer.readsBody = false
            let refusal = answer
            proxy.script { _, _ in .answer(refusal) }
            let storage = try proxy.storage()
            let name = try StorageName(validating: "file")
            let code = await storageErrorCode {
                try await storage.upload(.buffer(TestBytes.make(4 << 20)), to: name, options: .init(ifExists: .replace))
            }
            #expect(code == .permissionDenied)
            #expect(proxy.requests.map(\.bodyByteCount) == [0])
        }
    }
}
