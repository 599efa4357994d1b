import Foundation
import NIOConcurrencyHelpers
import NIOCore
import TestSupport
import Testing

@testable import StoragesHTTP
@testable import StoragesS3

@Suite("Requests on the wire", .timeLimit(.minutes(2)))
struct CurlTransportTests {
    private func request(
        _ proxy: FaultProxy,
        _ method: HTTPRequest.Method = .get,
        _ target: String = "/",
        _ headers: HTTPHeaders = [:],
        body: String = ""
    ) -> HTTPRequest {
        var request = HTTPRequest(method: method, url: "http://\(proxy.endpoint)\(target)", headers: headers)
        request.body = HTTPBody(body)
        return request
    }

    @Test(
        "A request on the wire has the given headers in their order, and few others",
        arguments: [
            (HTTPRequest.Method.get, "", [String]()), (.head, "", []), (.delete, "", []),
            (.put, "", ["Content-Length"]),
            (.put, "bytes", ["Content-Length"]), (.post, "", ["Content-Length"]), (.post, "bytes", ["Content-Length"]),
        ]
    )
    func fields(method: HTTPRequest.Method, body: String, added: [String]) async throws {
        try await FaultProxy.with(hashesBodies: true) { proxy async throws in
            proxy.script { _, _ in .answer(.init(200)) }
            let transport = try CurlTransport(CurlSettings())
            let headers: HTTPHeaders = [
                "host": "files.example:8080", "x-amz-meta-b": "two  blanks", "X-Amz-Meta-A": "\"quoted\"; a=b",
                "x-empty": "",
                "Authorization": "AWS4-HMAC-SHA256 Credential=x", "User-Agent": "stored-files", "x-twice": "1",
                "x-twice": "2",
            ]
            let answer = try await transport.collect(request(proxy, method, "/", headers, body: body), upTo: 100)
            #expect(answer.status == 200)
            let received = try #require(proxy.requests.first)
            #expect(received.method == method.rawValue)
            let given = headers.fields.map { "\($0.name): \($0.value)" }
            let names = Set(headers.fields.map { $0.name.lowercased() })
            let same = received.headers.filter { names.contains($0.name.lowercased()) }.map {
                "\($0.name): \($0.value)"
            }
            // libcurl writes Host first and in its own way.
            #expect(same.map { $0.lowercased() }.sorted() == given.map { $0.lowercased() }.sorted())
            #expect(
                same.filter { !$0.lowercased().hasPrefix("host") && !$0.lowercased().hasPrefix("user-agent") }
                    == given.filter { !$0.lowercased().hasPrefix("host") && !$0.lowercased().hasPrefix("user-agent") }
            )
            let others = received.headers.map(\.name).filter { !names.contains($0.lowercased()) }
            #expect(others == added)
            #expect(received["Content-Length"] == (added.isEmpty ? nil : "\(body.utf8.count)"))
            #expect(received.bodyByteCount == body.utf8.count)
        }
    }

    @Test(
        "A request on the wire has the path and the query that were given",
        arguments: [
            "/bucket/a/../b", "/bucket/./a", "/bucket//a///b", "/bucket/%2E%2E/%2e/a", "/bucket/a%20b%2Fc",
            "/bucket/..",
            "/bucket/a~b_c-d.e", "/bucket/%E6%97%A5", "/bucket/a?b=c%20d&e=&uploads=", "/bucket/a?x=%2F..%2F", "/",
            "/bucket/a%23b%3Fc",
        ]
    )
    func paths(target: String) async throws {
        try await FaultProxy.with { proxy async throws in
            proxy.script { _, _ in .answer(.init(200)) }
            let transport = try CurlTransport(CurlSettings())
            _ = try await transport.collect(request(proxy, .get, target), upTo: 100)
            let received = try #require(proxy.requests.first)
            #expect(received.path + (received.query.isEmpty ? "" : "?\(received.query)") == target)
        }
    }

    @Test("Requests ignore the proxy variables of the environment")
    func environment() async throws {
        // Variables are the process's.
        await #expect(processExitsWith: .success) {
            for name in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "https_proxy"] {
                setenv(name, "http://127.0.0.1:1", 1)
            }
            // Where these name this host, libcurl would not look at the others.
            for name in ["no_proxy", "NO_PROXY"] { unsetenv(name) }
            try await FaultProxy.with { proxy async throws in
                proxy.script { _, _ in .answer(.init(200)) }
                let transport = try CurlTransport(CurlSettings())
                let request = HTTPRequest(method: .get, url: "http://\(proxy.endpoint)/", headers: [:])
                #expect(try await transport.collect(request, upTo: 100).status == 200)
            }
        }
    }

    @Test("Requests go through the configured proxy, except those that must not")
    func proxies() async throws {
        try await FaultProxy.with { other async throws in
            other.script { _, _ in .answer(.init(299)) }
            try await FaultProxy.with { proxy async throws in
                proxy.script { _, _ in .answer(.init(200)) }
                var settings = CurlSettings()
                settings.proxy = "http://\(other.endpoint)"
                var direct = request(proxy)
                #expect(try await CurlTransport(settings).collect(direct, upTo: 100).status == 299)
                settings.noProxy = "127.0.0.1"
                #expect(try await CurlTransport(settings).collect(direct, upTo: 100).status == 200)
                settings.noProxy = nil
                direct.isDirect = true
                #expect(try await CurlTransport(settings).collect(direct, upTo: 100).status == 200)
            }
        }
    }

    @Test("A connection is reused after responses without a body, errors and uploads")
    func reuse() async throws {
        try await FaultProxy.with { proxy async throws in
            proxy.script { request, index in
                .answer(index == 2 ? .init(204) : .init(index % 2 == 0 ? 200 : 404, body: "text"))
            }
            let transport = try CurlTransport(CurlSettings())
            for method in [HTTPRequest.Method.get, .head, .delete, .put, .post, .get, .put, .head, .get] {
                let body = method == .put || method == .post ? "body" : ""
                _ = try await transport.collect(request(proxy, method, body: body), upTo: 100)
            }
            #expect(proxy.requests.count == 9)
            #expect(proxy.connections.count == 1)

            var fresh = request(proxy)
            fresh.usesFreshConnection = true
            _ = try await transport.collect(fresh, upTo: 100)
            #expect(proxy.connections.count == 2)
        }
    }

    @Test("A connection whose response was not read is not reused")
    func dropped() async throws {
        try await FaultProxy.with { proxy async throws in
            let object = ScriptedObject(8 << 20)
            proxy.script { _, _ in .answer(object.whole) }
            let transport = try CurlTransport(CurlSettings(), concurrency: 1)
            for _ in 0..<3 {
                let response = try await transport.send(request(proxy))
                #expect(response.status == 200)
            }
            var response: HTTPResponse? = try await transport.send(request(proxy))
            var iterator = response?.body.makeAsyncIterator()
            #expect(try await iterator?.next() != nil)
            iterator = nil
            response = nil
            #expect(try await transport.collect(request(proxy), upTo: 8 << 20).body == object.bytes)
            #expect(proxy.connections.count == 5)
        }
    }

    @Test("A request that libcurl repeats after a dead connection is marked as replayed")
    func replays() async throws {
        for (method, body) in [(HTTPRequest.Method.put, "body"), (.put, ""), (.post, ""), (.get, "")] {
            try await FaultProxy.with { proxy async throws in
                proxy.script { _, index in index == 1 ? .cut(.beforeAnswer) : .answer(.init(200)) }
                let transport = try CurlTransport(CurlSettings())
                let first = try await transport.send(request(proxy, method, body: body))
                #expect(!first.wasReplayed)
                _ = try await first.collected(upTo: 10)
                let second = try await transport.send(request(proxy, method, body: body))
                #expect(second.wasReplayed)
                #expect(proxy.requests.count == 3)
            }
        }
    }

    @Test("The server has to wait while nobody reads the response")
    func backPressure() async throws {
        try await FaultProxy.with { proxy async throws in
            let piece = TestBytes.make(1 << 18).getBytes(at: 0, length: 1 << 18) ?? []
            let sent = Counter()
            proxy.script { _, _ in
                var answer = FaultProxy.Answer(200)
                answer.body = (0..<256).flatMap { _ in
                    [FaultProxy.Answer.Piece.bytes(piece), .note { sent.next() }]
                }
                return .answer(answer)
            }
            let transport = try CurlTransport(CurlSettings())
            let response = try await transport.send(request(proxy))
            var iterator = response.body.makeAsyncIterator()
            var read = try await iterator.next()?.readableBytes ?? 0
            var last = -1
            while last != sent.value {
                last = sent.value
                try await Task.sleep(for: .milliseconds(200))
            }
            // A mebibyte here, and what the system holds for the two sockets.
            #expect(sent.value < 64, "\(sent.value) of 256 pieces were sent")
            while let chunk = try await iterator.next() { read += chunk.readableBytes }
            #expect(read == 64 << 20)
            // The last note comes after the last byte, which may be here before.
            _ = try await eventually { sent.value >= 256 }
            #expect(sent.value == 256)
        }
    }

    @Test("The timeout of a request also covers the body of the response")
    func deadlines() async throws {
        try await FaultProxy.with { proxy async throws in
            var slow = FaultProxy.Answer(200, body: "1234567890").framed(.announced(20))
            slow.body.append(.pause(.seconds(60)))
            let answer = slow
            proxy.script { _, _ in .answer(answer) }
            let transport = try CurlTransport(CurlSettings())
            var request = request(proxy)
            request.timeout = .milliseconds(300)
            let start = ContinuousClock.now
            let failure = await #expect(throws: HTTPFailure.self) { try await transport.collect(request, upTo: 100) }
            #expect(failure?.kind == .timedOut)
            #expect(failure?.isUnsent == false)
            // Not that of libcurl, which gives a transfer up that stalls, but 30 s later.
            #expect(failure?.curlCode == nil)
            #expect(start.duration(to: .now) < .seconds(15))
        }
    }

    @Test("A failed transfer has a kind that says what happened")
    func kinds() async throws {
        try await FaultProxy.with { proxy async throws in
            let transport = try CurlTransport(CurlSettings())
            func failure(_ action: FaultProxy.Action) async throws -> HTTPFailure? {
                proxy.script { _, _ in action }
                await proxy.closeIdleConnections()
                return await #expect(throws: HTTPFailure.self) {
                    try await transport.collect(request(proxy), upTo: 1 << 20)
                }
            }
            #expect(try await failure(.cut(.beforeAnswer))?.kind == .connectionLost)
            #expect(try await failure(.cut(.beforeAnswer, .reset))?.kind == .connectionLost)
            let body = FaultProxy.Answer(200, body: "text")
            #expect(try await failure(.answer(body.framed(.announced(5))))?.kind == .truncated)
            #expect(try await failure(.answer(body.framed(.chunked(isTerminated: false))))?.kind == .truncated)
            var large = FaultProxy.Answer(200)
            large.headers = (0..<300).map { ("x-\($0)", String(repeating: "y", count: 1000)) }
            #expect(try await failure(.answer(large))?.kind == .responseTooLarge)
            let long = FaultProxy.Answer(200, body: String(repeating: "x", count: (1 << 20) + 1))
            #expect(try await failure(.answer(long))?.kind == .responseTooLarge)

            // Afterwards handles and connections work as before.
            proxy.script { _, _ in .answer(body) }
            #expect(try await transport.collect(request(proxy), upTo: 100).body == ByteBuffer(string: "text"))
        }
        let transport = try CurlTransport(CurlSettings())
        let nobody = HTTPRequest(method: .get, url: "http://127.0.0.1:1/", headers: [:])
        let refused = await #expect(throws: HTTPFailure.self) { try await transport.send(nobody) }
        #expect(refused?.kind == .notConnected)
        #expect(refused?.isUnsent == true)
        for url in ["file:///etc/passwd", "ftp://127.0.0.1/", "http://user:word@127.0.0.1:1/", "http://a b/"] {
            let request = HTTPRequest(method: .get, url: url, headers: [:])
            let failure = await #expect(throws: HTTPFailure.self) { try await transport.send(request) }
            #expect(failure?.kind == .invalidRequest, "\(url): \(String(describing: failure))")
            #expect(failure?.message.contains("word") == false)
        }
    }
}
