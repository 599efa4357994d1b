import Foundation
import Storages
import Testing

@testable import StoragesS3

@Suite("Secrets in errors", .timeLimit(.minutes(1)))
struct SecretsInErrorsTests {
    static let name = StorageName(unchecked: "file")

    /// Answers of servers that repeat what they were sent, as some do.
    static let actions: [FaultProxy.Script] = [
        { request, _ in
            ScriptedBucket.failure(
                403,
                "SignatureDoesNotMatch",
                "<StringToSign>\(request["Authorization"] ?? "")</StringToSign>"
                    + "<CanonicalRequest>\(request["x-amz-security-token"] ?? "")</CanonicalRequest>"
            )
        },
        { request, _ in
            ScriptedBucket.failure(400, "ExpiredToken", "<Token-0>\(request["x-amz-security-token"] ?? "")</Token-0>")
        },
        { request, _ in
            ScriptedBucket.answer(
                307,
                "",
                [
                    (
                        "Location",
                        "http://elsewhere.example/?X-Amz-Signature=\(request["Authorization"]?.suffix(64) ?? "")"
                    )
                ]
            )
        },
        { _, _ in .cut(.afterRequestHead, .reset) },
        { _, _ in ScriptedBucket.answer(200, "<html>") },
        { _, _ in ScriptedBucket.failure(503, "SlowDown") },
    ]

    @Test("No error shows a secret, whatever fails and whatever the server says", arguments: actions.indices)
    func secrets(index: Int) async throws {
        try await FaultProxy.with { proxy in
            proxy.script(Self.actions[index])
            let storage = try ScriptedBucket.storage(proxy) {
                $0.sessionToken = ScriptedBucket.sessionToken
                $0.retries = .none
            }
            var texts: [String] = []
            func collect(_ work: () async throws -> Void) async {
                do {
                    try await work()
                } catch {
                    texts += ["\(error)", String(reflecting: error)]
                    dump(error, to: &texts[texts.count - 1])
                }
            }
            let replace = UploadOptions(ifExists: .replace)
            await collect { _ = try await storage.upload(.string("x"), to: Self.name, options: replace) }
            await collect { _ = try await storage.open(Self.name) }
            await collect { _ = try await storage.info(for: Self.name) }
            await collect { _ = try await storage.copy(Self.name, to: StorageName(unchecked: "b"), options: replace) }
            await collect { _ = try await storage.listedKeys(prefix: "") }
            await collect { for failure in try await storage.delete([Self.name]) { throw failure.error } }
            await collect { try await storage.probeConditionalWrites() }
            await collect { try await storage.createBucketIfMissing() }
            await collect { _ = try await storage.abortUploads(olderThan: .now) }
            #expect(texts.count >= 6)
            let signatures = proxy.requests.compactMap { $0["Authorization"]?.suffix(64) }.map(String.init)
            #expect(!signatures.isEmpty)
            for text in texts {
                for secret in [ScriptedBucket.secretAccessKey, ScriptedBucket.sessionToken] + signatures {
                    #expect(!text.contains(secret), "\(text)")
                }
                #expect(!text.contains("X-Amz-Signature"), "\(text)")
            }
        }
    }
}
