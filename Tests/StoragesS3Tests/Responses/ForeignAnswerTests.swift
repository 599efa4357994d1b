import NIOConcurrencyHelpers
import NIOCore
import Storages
import TestSupport
import Testing

@testable import StoragesS3

/// Tests of responses by whatever stands between a program and its server, with any status.
@Suite("Responses of intermediaries", .timeLimit(.minutes(2)))
struct ForeignAnswerTests {
    static let name = StorageName(unchecked: "file")
    static let page = "<!DOCTYPE html><html><head><title>Sorry</title></head><body><br>Nothing here.</body></html>"
    static let html = [("Content-Type", "text/html; charset=utf-8")]

    private static func page(_ status: Int, _ more: [(name: String, value: String)] = []) -> FaultProxy.Action {
        ScriptedBucket.answer(status, page, html + more)
    }

    private func with(_ script: @escaping FaultProxy.Script, _ work: (S3Storage, FaultProxy) async throws -> Void)
        async throws
    {
        try await FaultProxy.with { proxy in
            proxy.script(script)
            try await work(
                try ScriptedBucket.storage(proxy) {
                    $0.transfers.multipartThreshold = 5 << 20
                    $0.transfers.partSize = 5 << 20
                },
                proxy
            )
        }
    }

    @Test("A response of an intermediary does not count as a missing file")
    func missing() async throws {
        try await with({ request, _ in
            request.method == "HEAD" ? ScriptedBucket.answer(404, "", Self.html) : Self.page(404)
        }) { storage, proxy in
            #expect(await storageErrorCode { try await storage.open(Self.name) } == .unavailable)
            // What routes requests may know the server again a moment later.
            #expect(proxy.count("GET") == 5)
            #expect(await storageErrorCode { try await storage.exists(Self.name) } == .unavailable)
            let failures = try await storage.delete([Self.name])
            #expect(failures.map(\.error.code) == [.unavailable])
            let version = await storageErrorCode { try await storage.delete(Self.name, version: "v") }
            #expect(version == .unavailable)
        }
    }

    @Test("Only a response of the server confirms a deletion")
    func deletions() async throws {
        for answer in [Self.page(200), Self.page(404), ScriptedBucket.answer(404)] {
            try await with({ _, _ in answer }) { storage, _ in
                let failures = try await storage.delete([Self.name])
                #expect(failures.map(\.error.code) == [.unavailable])
            }
        }
        for answer in [
            ScriptedBucket.answer(204), ScriptedBucket.answer(204, "", Self.html),
            ScriptedBucket.failure(404, "NoSuchKey"), ScriptedBucket.answer(404, "", [("x-amz-request-id", "1")]),
        ] {
            try await with({ _, _ in answer }) { storage, _ async throws in
                #expect(try await storage.delete([Self.name]).isEmpty)
            }
        }
    }

    @Test(
        "An upload has an unknown outcome after a success response that is not the server's",
        arguments: [true, false]
    )
    func uploads(hasPage: Bool) async throws {
        let answer = hasPage ? Self.page(200, [("ETag", "\"page\"")]) : ScriptedBucket.answer(200)
        try await with({ _, _ in answer }) { storage, proxy in
            let code = await storageErrorCode {
                try await storage.upload(.string("text"), to: Self.name, options: .init(ifExists: .replace))
            }
            #expect(code == .outcomeUnknown)
            #expect(proxy.count("PUT") == 5)
        }
    }

    @Test("A conditional upload looks at the file after a response that is not the server's", arguments: [true, false])
    func recognised(isStored: Bool) async throws {
        let nonce = NIOLockedValueBox<String?>(nil)
        try await with({ request, _ in
            if request.method == "PUT" {
                nonce.withLockedValue { $0 = request[UploadNonce.header] }
                return Self.page(200)
            }
            guard isStored else { return ScriptedBucket.answer(404) }
            let word = nonce.withLockedValue { $0 } ?? ""
            return ScriptedBucket.answer(200, "", [("ETag", "\"e\""), (UploadNonce.header, word)])
        }) { _, proxy in
            let storage = try ScriptedBucket.storage(proxy) { $0.server.conditionalWrites = true }
            let options = UploadOptions(ifExists: .fail)
            if isStored {
                let file = try await storage.upload(.string("text"), to: Self.name, options: options)
                #expect(file.entityTag == "\"e\"")
            } else {
                let code = await storageErrorCode {
                    try await storage.upload(.string("text"), to: Self.name, options: options)
                }
                #expect(code == .unavailable)
            }
        }
    }

    @Test("A web page with status 200 is not taken for a part, a copy, an object or a listing")
    func others() async throws {
        try await with({ request, _ in
            request.method == "PUT" ? Self.page(200, [("ETag", "\"page\"")]) : MultipartScript.answer(request)
        }) { storage, proxy in
            let large = UploadBody.buffer(ByteBuffer(repeating: 7, count: (5 << 20) + 1))
            let code = await storageErrorCode {
                try await storage.upload(large, to: Self.name, options: .init(ifExists: .replace))
            }
            #expect(code == .unavailable)
            #expect(proxy.requests.contains { $0.isAbort })
            let copy = await storageErrorCode {
                try await storage.copy(
                    Self.name,
                    to: StorageName(unchecked: "copy"),
                    options: .init(ifExists: .replace)
                )
            }
            // The object that is there is not the copy.
            #expect(copy == .unavailable)
        }
        try await with({ request, _ in
            request.method == "HEAD" ? ScriptedBucket.answer(200, "", Self.html) : Self.page(200)
        }) { storage, _ in
            #expect(await storageErrorCode { try await storage.open(Self.name) } == .unavailable)
            #expect(await storageErrorCode { try await storage.info(for: Self.name) } == .unavailable)
            #expect(await storageErrorCode { try await storage.listedKeys(prefix: "") } == .unavailable)
            #expect(await storageErrorCode { try await storage.abandonUploads(of: [Self.name]) } == .unavailable)
        }
    }

    @Test("A denial by an intermediary is reported as such")
    func denied() async throws {
        try await with({ _, _ in Self.page(403) }) { storage, proxy in
            let error = await #expect(throws: StorageError.self) { try await storage.open(Self.name) }
            #expect(error?.code == .permissionDenied)
            #expect(error?.message.contains("between this machine and the server") == true)
            #expect(proxy.requests.count == 1)
        }
    }

    @Test("A web page that is stored as an object is read like any object")
    func pages() async throws {
        try await with({ _, _ in Self.page(200, [("ETag", "\"page\"")]) }) { storage, _ async throws in
            #expect(try await storage.open(Self.name).collect(upTo: 1000) == ByteBuffer(string: Self.page))
        }
    }

    // MARK: Proxies

    @Test("The error names the proxy option when a proxy requires authentication", arguments: [false, true])
    func proxy(isTunnel: Bool) async throws {
        try await FaultProxy.with { proxy in
            proxy.script { _, _ in
                ScriptedBucket.answer(407, Self.page, Self.html + [("Proxy-Authenticate", "Basic realm=\"x\"")])
            }
            let setup = ScriptedBucket.setup(endpoint: "s3.test.invalid", useSSL: isTunnel) {
                $0.proxy = "http://\(proxy.endpoint)"
            }
            let storage = try S3Storage(setup)
            let error = await #expect(throws: StorageError.self) { try await storage.open(Self.name) }
            #expect(error?.code == .invalidConfiguration)
            #expect(error?.message.contains("option proxy") == true)
            #expect(proxy.requests.count == 1)
        }
    }

    @Test("An upload that is refused with status 417 is repeated without the header Expect", arguments: [true, false])
    func expectation(readsBody: Bool) async throws {
        try await FaultProxy.with(hashesBodies: true) { proxy in
            var refusal = FaultProxy.Answer(417, headers: Self.html, body: Self.page)
            // At once, or when the client has lost its patience and sent everything.
            refusal.readsBody = readsBody
            refusal.sendsContinue = false
            let answer = refusal
            proxy.script { request, _ in
                request["Expect"] == nil ? ScriptedBucket.answer(200, "", [("ETag", "\"e\"")]) : .answer(answer)
            }
            let storage = try proxy.storage()
            let bytes = TestBytes.make(4 << 20)
            let file = try await storage.upload(.buffer(bytes), to: Self.name, options: .init(ifExists: .replace))
            #expect(file.entityTag == "\"e\"")
            #expect(proxy.requests.map { $0["Expect"] != nil } == [true, false])
            #expect(proxy.requests.last?.bodyByteCount == 4 << 20)
            #expect(proxy.requests.last?.bodySHA256 == proxy.requests.last?["x-amz-content-sha256"])
        }
    }

    @Test("A response with status 417 does not remove the header Expect from later uploads")
    func expectationAfterRefusal() async throws {
        try await FaultProxy.with { proxy in
            var refusal = FaultProxy.Answer(417, headers: Self.html, body: Self.page)
            refusal.readsBody = false
            refusal.sendsContinue = false
            let answer = refusal
            proxy.script { _, number in
                number % 3 == 0
                    ? .answer(answer)
                    : ScriptedBucket.answer(200, "", [("ETag", "\"e\"")])
            }
            let storage = try proxy.storage()
            let bytes = TestBytes.make(4 << 20)
            // Often: other tests take handles of libcurl, too, and the connection of a refusal is closed, in one upload
            // of many between libcurl's look at it and the first byte it sends.
            for _ in 0..<40 {
                let file = try await storage.upload(.buffer(bytes), to: Self.name, options: .init(ifExists: .replace))
                #expect(file.entityTag == "\"e\"")
            }
            let expectations = proxy.requests.map { $0["Expect"] != nil }
            #expect(expectations == Array(repeating: [true, false, true], count: 20).flatMap { $0 })
            let counts = proxy.requests.map(\.bodyByteCount)
            #expect(counts == Array(repeating: [0, 4 << 20, 4 << 20], count: 20).flatMap { $0 })
        }
    }
}
