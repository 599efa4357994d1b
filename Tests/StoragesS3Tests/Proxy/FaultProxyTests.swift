import Foundation
import NIOCore
import TestSupport
import Testing

@Suite("The fault proxy", .timeLimit(.minutes(2)))
struct FaultProxyTests {
    /// A proxy whose server is another proxy, which answers with what it got.
    private func withServer(
        _ answer: @escaping FaultProxy.Script = { _, _ in .answer(.init(200, body: "0123456789")) },
        _ body: (_ proxy: FaultProxy, _ server: FaultProxy) async throws -> Void
    ) async throws {
        try await FaultProxy.with(hashesBodies: true) { server async throws in
            server.script(answer)
            try await FaultProxy.with(upstream: (server.host, server.port), hashesBodies: true) { proxy in
                try await body(proxy, server)
            }
        }
    }

    private func answerOf10(_ text: String) -> Bool { text.hasSuffix("0123456789") }

    // MARK: Passing

    @Test("The fault proxy passes requests on unchanged and records them")
    func passes() async throws {
        try await withServer { proxy, server async throws in
            let request = RawConnection.request("PUT", "/b/a%20b?x=%2F&y", headers: ["X-Test:  1 "], body: "hello")
            let outcome = try await RawConnection.exchange(with: proxy.port, sending: [request], until: answerOf10)
            #expect(outcome.status == 200)
            #expect(outcome.ending == .enough)
            for seen in [try #require(proxy.requests.first), try #require(server.requests.first)] {
                #expect(seen.method == "PUT")
                #expect(seen.path == "/b/a%20b")
                #expect(seen.query == "x=%2F&y")
                #expect(seen["host"] == "files.example")
                #expect(seen["x-test"] == "1 ")
                #expect(seen.headers.map(\.name) == ["Host", "X-Test", "Content-Length"])
                #expect(seen.bodyByteCount == 5)
                #expect(seen.bodySHA256 == "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824")
                #expect(seen.isComplete)
            }
        }
    }

    @Test("The fault proxy keeps a connection open between requests and counts both")
    func keepsAlive() async throws {
        try await withServer { proxy, _ async throws in
            let request = RawConnection.request("GET", "/")
            let outcome = try await RawConnection.exchange(with: proxy.port, sending: [request, request]) {
                $0.components(separatedBy: "0123456789").count == 3
            }
            #expect(outcome.ending == .enough)
            #expect(proxy.requests.map(\.connection) == [0, 0])
            #expect(proxy.connections.map(\.requestCount) == [2])
        }
    }

    @Test("The fault proxy passes chunks in both directions")
    func chunks() async throws {
        let chunked = FaultProxy.Answer(200, body: "0123456789").framed(.chunked(isTerminated: true))
        try await withServer({ _, _ in .answer(chunked) }) { proxy, server async throws in
            let request = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"
            let outcome = try await RawConnection.exchange(with: proxy.port, sending: [request]) {
                $0.hasSuffix("0\r\n\r\n")
            }
            #expect(outcome.body == "a\r\n0123456789\r\n0\r\n\r\n")
            #expect(server.requests.first?.bodyByteCount == 5)
            #expect(server.requests.first?.isComplete == true)
        }
    }

    @Test("The fault proxy tells the script the number of requests since it was set")
    func counts() async throws {
        try await FaultProxy.with { proxy async throws in
            proxy.script { _, index in .answer(.init(200 + index, body: "0123456789")) }
            let request = RawConnection.request("GET", "/")
            for status in [200, 201] {
                let outcome = try await RawConnection.exchange(with: proxy.port, sending: [request], until: answerOf10)
                #expect(outcome.status == status)
            }
            proxy.script([.answer(.init(503, body: "0123456789"))])
            #expect(
                try await RawConnection.exchange(with: proxy.port, sending: [request], until: answerOf10).status == 503
            )
            #expect(proxy.requests.map(\.number) == [0, 1, 2])
        }
    }

    // MARK: 100-continue

    @Test("The fault proxy lets the server accept or refuse a body with 100 Continue")
    func passesContinue() async throws {
        let head = "PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
        try await withServer { proxy, server async throws in
            let first = try await RawConnection.exchange(with: proxy.port, sending: [head]) { $0.hasSuffix("\r\n\r\n") }
            #expect(first.text == "HTTP/1.1 100 Continue\r\n\r\n")
            let both = try await RawConnection.exchange(with: proxy.port, sending: [head, "hello"], until: answerOf10)
            #expect(both.text.hasPrefix("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 "))
            #expect(server.requests.last?.bodyByteCount == 5)
        }
        var refusal = FaultProxy.Answer(403, body: "0123456789")
        refusal.readsBody = false
        try await withServer({ [refusal] _, _ in .answer(refusal) }) { proxy, server async throws in
            let outcome = try await RawConnection.exchange(with: proxy.port, sending: [head])
            #expect(outcome.status == 403)
            #expect(outcome.ending == .closed)
            #expect(server.requests.first?.bodyByteCount == 0)
        }
    }

    @Test("The fault proxy suppresses 100 Continue when the script says so")
    func withoutContinue() async throws {
        let head = "PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
        try await withServer { proxy, server async throws in
            proxy.script { _, _ in .withoutContinue }
            let outcome = try await RawConnection.exchange(
                with: proxy.port,
                sending: [head, "hello"],
                until: answerOf10
            )
            #expect(outcome.text.hasPrefix("HTTP/1.1 200 "))
            #expect(!outcome.text.contains("100 Continue"))
            #expect(server.requests.first?["expect"] == nil)
        }
    }

    // MARK: Cuts

    @Test(
        "The fault proxy cuts a connection where the script says",
        arguments: [
            // what, bytes of the body that the server gets (nil: it sees no request), what the client gets
            (FaultProxy.Cut.afterRequestHead, nil, ""),
            (.beforeAnswer, nil, ""),
            (.afterRequestBody(bytes: 0), 0, ""),
            (.afterRequestBody(bytes: 3), 3, ""),
            (.afterRequestBody(bytes: 99), 5, ""),
            (.answerLost, 5, ""),
            (.insideAnswerHead(bytes: 0), 5, ""),
            (.insideAnswerHead(bytes: 12), 5, "HTTP/1.1 200"),
            (.insideAnswerHead(bytes: 999), 5, "HTTP/1.1 200 Scripted\r\nContent-Length: 10\r\n"),
            (.afterAnswerBody(bytes: 0), 5, "HTTP/1.1 200 Scripted\r\nContent-Length: 10\r\n\r\n"),
            (.afterAnswerBody(bytes: 4), 5, "HTTP/1.1 200 Scripted\r\nContent-Length: 10\r\n\r\n0123"),
        ] as [(FaultProxy.Cut, Int?, String)]
    )
    func cuts(cut: FaultProxy.Cut, serverBytes: Int?, text: String) async throws {
        try await withServer { proxy, server async throws in
            proxy.script([.cut(cut)])
            let request = RawConnection.request("PUT", "/", body: "hello")
            let outcome = try await RawConnection.exchange(with: proxy.port, sending: [request])
            #expect(outcome.text == text)
            #expect(
                try await eventually {
                    server.requests.first?.bodyByteCount == serverBytes
                        && server.requests.first?.isComplete == serverBytes.map { $0 == 5 }
                }
            )
            // The next one is not concerned.
            let next = try await RawConnection.exchange(with: proxy.port, sending: [request], until: answerOf10)
            #expect(next.status == 200)
            // And what the server was not to see has not come late.
            #expect(server.requests.count == (serverBytes == nil ? 1 : 2))
            #expect(proxy.requests.count == 2)
        }
    }

    @Test("The fault proxy cuts a chunked response before its last chunk")
    func cutsChunks() async throws {
        let chunked = FaultProxy.Answer(200, body: "0123456789").framed(.chunked(isTerminated: true))
        try await withServer({ _, _ in .answer(chunked) }) { proxy, _ async throws in
            let request = RawConnection.request("GET", "/")
            proxy.script([.cut(.afterAnswerBody(bytes: 4)), .cut(.afterAnswerBody(bytes: 99))])
            #expect(try await RawConnection.exchange(with: proxy.port, sending: [request]).body == "a\r\n0123")
            #expect(try await RawConnection.exchange(with: proxy.port, sending: [request]).body == "a\r\n0123456789")
        }
    }

    @Test("The fault proxy resets a connection or closes it in order", arguments: [FaultProxy.Manner.close, .reset])
    func manners(manner: FaultProxy.Manner) async throws {
        try await FaultProxy.with { proxy async throws in
            proxy.script { _, _ in .cut(.beforeAnswer, manner) }
            let request = RawConnection.request("PUT", "/", body: "hello")
            let outcome = try await RawConnection.exchange(with: proxy.port, sending: [request])
            #expect(outcome.ending == (manner == .reset ? .reset : .closed))
            #expect(proxy.requests.first?.isComplete == true)
        }
    }

    @Test("The fault proxy cuts a connection before it reads anything")
    func cutsConnections() async throws {
        try await FaultProxy.with { proxy async throws in
            proxy.scriptConnections { $0 == 0 ? .cut(.close) : .accept }
            proxy.script { _, _ in .answer(.init(200, body: "0123456789")) }
            #expect(try await RawConnection.exchange(with: proxy.port, sending: []).ending == .closed)
            #expect(proxy.requests.isEmpty)
            let request = RawConnection.request("GET", "/")
            #expect(
                try await RawConnection.exchange(with: proxy.port, sending: [request], until: answerOf10).status == 200
            )
            #expect(proxy.connections.map(\.requestCount) == [0, 1])
        }
    }

    // MARK: Answers

    @Test("The fault proxy makes up responses that end too early")
    func lies() async throws {
        try await FaultProxy.with { proxy async throws in
            let answer = FaultProxy.Answer(200, body: "0123")
            proxy.script([
                .answer(answer.framed(.announced(10))), .answer(answer.framed(.chunked(isTerminated: false))),
                .answer(answer.framed(.untilClose)),
            ])
            let request = RawConnection.request("GET", "/")
            let short = try await RawConnection.exchange(with: proxy.port, sending: [request])
            #expect(short.text == "HTTP/1.1 200 Scripted\r\nContent-Length: 10\r\n\r\n0123")
            #expect(short.ending == .closed)
            let open = try await RawConnection.exchange(with: proxy.port, sending: [request])
            #expect(open.text == "HTTP/1.1 200 Scripted\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n0123\r\n")
            let plain = try await RawConnection.exchange(with: proxy.port, sending: [request])
            #expect(plain.text == "HTTP/1.1 200 Scripted\r\n\r\n0123")
        }
    }

    @Test("The fault proxy sends a response slowly or after spaces")
    func drips() async throws {
        try await FaultProxy.with { proxy async throws in
            let answer = FaultProxy.Answer(200, body: "0123456789")
            proxy.script([
                .answer(answer.dripping(4, every: .milliseconds(50))),
                .answer(answer.afterSpaces(3, every: .milliseconds(50)).framed(.chunked(isTerminated: true))),
            ])
            let request = RawConnection.request("GET", "/")
            let start = ContinuousClock.now
            let slow = try await RawConnection.exchange(with: proxy.port, sending: [request], until: answerOf10)
            #expect(slow.text.hasPrefix("HTTP/1.1 200 Scripted\r\nContent-Length: 10\r\n\r\n"))
            #expect(ContinuousClock.now - start >= .milliseconds(150))
            let spaced = try await RawConnection.exchange(with: proxy.port, sending: [request]) {
                $0.hasSuffix("0\r\n\r\n")
            }
            #expect(spaced.body == "1\r\n \r\n1\r\n \r\n1\r\n \r\na\r\n0123456789\r\n0\r\n\r\n")
        }
    }

    // MARK: Time

    @Test("The fault proxy delays requests and slows down their bodies")
    func slows() async throws {
        try await withServer { proxy, _ async throws in
            let request = RawConnection.request("PUT", "/", body: "hello")
            for action in [.delay(.milliseconds(200)), .throttle(upload: 25)] as [FaultProxy.Action] {
                proxy.script([action])
                let start = ContinuousClock.now
                let outcome = try await RawConnection.exchange(with: proxy.port, sending: [request]) {
                    answerOf10($0)
                }
                #expect(outcome.status == 200)
                #expect(ContinuousClock.now - start >= .milliseconds(200))
            }
        }
    }

    @Test("The fault proxy limits the bytes of a response per second")
    func throttles() async throws {
        let long = String(repeating: "x", count: 40_000)
        try await withServer({ _, _ in .answer(.init(200, body: long)) }) { proxy, _ async throws in
            proxy.script([.throttle(download: 100_000)])
            let start = ContinuousClock.now
            let outcome = try await RawConnection.exchange(
                with: proxy.port,
                sending: [RawConnection.request("GET", "/")]
            ) {
                $0.hasSuffix(long)
            }
            #expect(outcome.body.count == 40_000)
            // The last piece, of up to 16 KiB, is not waited for.
            #expect(ContinuousClock.now - start >= .milliseconds(200))
        }
    }

    @Test("The fault proxy closes idle connections on demand")
    func closesIdle() async throws {
        try await FaultProxy.with { proxy async throws in
            proxy.script { _, _ in .answer(.init(200, body: "0123456789")) }
            async let outcome = RawConnection.exchange(with: proxy.port, sending: [RawConnection.request("GET", "/")])
            #expect(try await eventually { proxy.connections.first.map { $0.requestCount == 1 && $0.isIdle } ?? false })
            await proxy.closeIdleConnections()
            #expect(try await outcome.ending == .closed)
            #expect(try await eventually { proxy.connections.allSatisfy { !$0.isOpen } })
        }
    }

    @Test("The fault proxy closes connections that are idle for too long")
    func timesOut() async throws {
        try await FaultProxy.with(idleTimeout: .milliseconds(100)) { proxy async throws in
            proxy.script { _, _ in .answer(.init(200, body: "0123456789")) }
            let outcome = try await RawConnection.exchange(
                with: proxy.port,
                sending: [RawConnection.request("GET", "/")]
            )
            #expect(outcome.status == 200)
            #expect(outcome.ending == .closed)
        }
    }

    // MARK: Mistakes

    @Test("The fault proxy without a server and a script records why it does not respond")
    func withoutServer() async throws {
        try await FaultProxy.with { proxy async throws in
            let outcome = try await RawConnection.exchange(
                with: proxy.port,
                sending: [RawConnection.request("GET", "/x")]
            )
            #expect(outcome.text == "")
            #expect(try await eventually { proxy.failures.count == 1 })
            #expect(proxy.failures.first?.contains("GET /x") == true)
        }
    }

    @Test("The fault proxy closes its connections and its port when it stops")
    func ends() async throws {
        let proxy = try await FaultProxy.start()
        let port = proxy.port
        async let open = RawConnection.exchange(with: port, sending: ["GET / HTTP/1.1\r\n"])
        #expect(try await eventually { proxy.connections.count == 1 })
        await proxy.stop()
        await proxy.stop()
        // Nobody answered; a proxy that left the connection open would make this wait for ever.
        #expect(try await open.text == "")
        #expect(proxy.connections.map(\.isOpen) == [false])
        #expect(proxy.requests.isEmpty)
        await #expect(throws: (any Error).self) { try await RawConnection.exchange(with: port, sending: []) }
    }
}
