import NIOCore
import Storages
import StoragesS3
import TestSupport
import Testing

@Suite("Responses that end too early", .timeLimit(.minutes(2)))
struct ShortAnswerTests {
    @Test(
        "A download that ends too early is an error, never shorter contents",
        arguments: [
            FaultProxy.Answer.Framing.announced(1000), .chunked(isTerminated: false), .chunked(isTerminated: true),
            .untilClose,
        ]
    )
    func contents(framing: FaultProxy.Answer.Framing) async throws {
        try await FaultProxy.with { proxy async throws in
            var answer = FaultProxy.Answer(
                200,
                headers: [("ETag", "\"tag\"")],
                body: String(repeating: "x", count: 999)
            )
            answer.framing = framing
            let short = answer
            proxy.script { _, _ in .answer(short) }
            let storage = try proxy.storage { $0.transfers.downloadResumptions = 2 }
            let name = try StorageName(validating: "file")
            let code = await storageErrorCode { try await storage.open(name).collect(upTo: 10_000) }
            // The second answer is not the part that was asked for when the first could be read at all.
            #expect(code == .unavailable)
        }
    }

    private static let listing = """
        <ListBucketResult><Name>bucket</Name><Prefix></Prefix><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated>\
        <Contents><Key>a</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><Size>1</Size></Contents>\
        <Contents><Key>b</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><Size>1</Size></Contents>\
        </ListBucketResult>
        """

    @Test(
        "A listing response that ends too early is retried, and never gives a shorter list",
        arguments: [FaultProxy.Answer.Framing.announced(1000), .chunked(isTerminated: false), .untilClose]
    )
    func lists(framing: FaultProxy.Answer.Framing) async throws {
        try await FaultProxy.with { proxy async throws in
            let whole = FaultProxy.Answer(200, body: Self.listing)
            let end = try #require(Self.listing.firstRange(of: "<Contents><Key>b"))
            let short = FaultProxy.Answer(200, body: String(Self.listing[..<end.lowerBound])).framed(framing)
            proxy.script { _, index in .answer(index < 2 ? short : whole) }
            let storage = try proxy.storage()
            var names: [String] = []
            for try await file in storage.list() { names.append(file.name.string) }
            #expect(names == ["a", "b"])
            #expect(proxy.requests.count == 3)

            proxy.script { _, _ in .answer(short) }
            let code = await storageErrorCode { for try await _ in storage.list() {} }
            #expect(code == .unavailable)
        }
    }
}
