import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import Storages

/// One connection of a client, and what the script does to it.
struct FaultProxyConnection {
    /// The connection is to end, as the script wants it.
    private struct End: Error {
        var manner: FaultProxy.Manner
    }

    private typealias Wire = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    let proxy: FaultProxy
    let channel: NIOAsyncChannel<ByteBuffer, ByteBuffer>
    let number: Int

    func serve(_ acceptance: FaultProxy.Acceptance) async {
        do {
            try await channel.executeThenClose { inbound, _ in
                do {
                    if case .cut(let manner) = acceptance { throw End(manner: manner) }
                    var reader = HTTPWireReader(inbound)
                    while let head = try await nextHead(&reader) {
                        let (request, action) = try proxy.record(head, connection: number)
                        try await carryOut(action, request, head, &reader)
                    }
                } catch let end as End {
                    if end.manner == .reset {
                        // To close without lingering is to reset.
                        let socket = channel.channel as? any SocketOptionProvider
                        try await socket?.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
                    }
                }
            }
        } catch {
            proxy.state.withLockedValue { $0.failures.append("connection \(number): \(error)") }
        }
    }

    private func nextHead(_ reader: inout HTTPWireReader) async throws -> HTTPWireHead? {
        proxy.state.withLockedValue { $0.connections[number].isIdle = true }
        guard let timeout = proxy.idleTimeout else { return try await reader.head() }
        let channel = channel.channel
        let closing = channel.eventLoop.scheduleTask(in: TimeAmount(timeout)) { channel.close(promise: nil) }
        defer { closing.cancel() }
        return try await reader.head()
    }

    // MARK: Actions

    private func carryOut(
        _ action: FaultProxy.Action,
        _ request: FaultProxy.Request,
        _ head: HTTPWireHead,
        _ reader: inout HTTPWireReader
    ) async throws {
        reader.begin(head.requestFraming)
        switch action {
        case .forward(let forwarding):
            try await forward(request, head, &reader, forwarding, cut: nil, .close)
        case .answer(let answer):
            try await self.answer(answer, to: request, head, &reader)
        case .cut(.afterRequestHead, let manner):
            throw End(manner: manner)
        case .cut(.beforeAnswer, let manner):
            try await continueIfExpected(head)
            try await readBody(of: request, &reader)
            throw End(manner: manner)
        case .cut(let cut, let manner):
            try await forward(request, head, &reader, FaultProxy.Forwarding(), cut: cut, manner)
        }
    }

    private func continueIfExpected(_ head: HTTPWireHead) async throws {
        guard head["expect"] != nil else { return }
        try await write(ByteBuffer(string: "HTTP/1.1 100 Continue\r\n\r\n"), to: channel)
    }

    private func write(_ bytes: ByteBuffer, to channel: Wire) async throws {
        // Not the channel's writer: this returns when the system has the bytes, and what follows may be the end.
        try await channel.channel.writeAndFlush(bytes).get()
    }

    /// Reads the rest of a request's body and hands each piece on as it came.
    private func readBody(
        of request: FaultProxy.Request,
        _ reader: inout HTTPWireReader,
        _ pass: (HTTPWireReader.Piece) async throws -> Void = { _ in }
    ) async throws {
        let hasher = proxy.hashesBodies ? try SHA256Hasher() : nil
        while let piece = try await reader.piece() {
            if case .data(let data) = piece {
                hasher?.update(data)
                proxy.update(request.number) { $0.bodyByteCount += data.readableBytes }
            }
            try await pass(piece)
        }
        let digest = try hasher?.finish().hexadecimal
        proxy.update(request.number) { request in
            request.isComplete = true
            request.bodySHA256 = digest
        }
    }

    // MARK: Answers that are made up

    private func answer(
        _ answer: FaultProxy.Answer,
        to request: FaultProxy.Request,
        _ head: HTTPWireHead,
        _ reader: inout HTTPWireReader
    ) async throws {
        if answer.readsBody {
            if answer.sendsContinue { try await continueIfExpected(head) }
            try await readBody(of: request, &reader)
        }
        var text = "HTTP/1.1 \(answer.status) Scripted\r\n"
        for (name, value) in answer.headers { text += "\(name): \(value)\r\n" }
        var closes = answer.closes || !answer.readsBody
        let count = answer.body.reduce(0) { sum, piece in
            if case .bytes(let bytes) = piece { sum + bytes.count } else { sum }
        }
        switch answer.framing {
        case .length: if answer.status != 204, answer.status != 304 { text += "Content-Length: \(count)\r\n" }
        case .announced(let length):
            text += "Content-Length: \(length)\r\n"
            closes = closes || length != count
        case .chunked(let isTerminated):
            text += "Transfer-Encoding: chunked\r\n"
            closes = closes || !isTerminated
        case .untilClose: closes = true
        }
        if answer.closes { text += "Connection: close\r\n" }
        try await write(ByteBuffer(string: text + "\r\n"), to: channel)
        if request.method != "HEAD" { try await writeBody(of: answer) }
        if closes { throw End(manner: .close) }
    }

    private func writeBody(of answer: FaultProxy.Answer) async throws {
        for piece in answer.body {
            switch piece {
            case .pause(let duration): try await Task.sleep(for: duration)
            case .note(let note): note()
            case .bytes(let bytes):
                var buffer = ByteBuffer(bytes: bytes)
                if case .chunked = answer.framing {
                    buffer = ByteBuffer(string: String(bytes.count, radix: 16) + "\r\n")
                    buffer.writeBytes(bytes)
                    buffer.writeString("\r\n")
                }
                try await write(buffer, to: channel)
            }
        }
        if case .chunked(isTerminated: true) = answer.framing {
            try await write(ByteBuffer(string: "0\r\n\r\n"), to: channel)
        }
    }

    // MARK: Forwarding

    private func forward(
        _ request: FaultProxy.Request,
        _ head: HTTPWireHead,
        _ reader: inout HTTPWireReader,
        _ forwarding: FaultProxy.Forwarding,
        cut: FaultProxy.Cut?,
        _ manner: FaultProxy.Manner
    ) async throws {
        guard let (host, port) = proxy.upstream else {
            throw HTTPWireError("\(request.method) \(request.path) shall go to the server, and there is none")
        }
        if forwarding.delay > .zero { try await Task.sleep(for: forwarding.delay) }
        let server = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connect(host: host, port: port) { channel in
                channel.eventLoop.makeCompletedFuture { try Wire(wrappingChannelSynchronously: channel) }
            }
        var client = reader
        defer { reader = client }
        try await server.executeThenClose { inbound, _ in
            var answers = HTTPWireReader(inbound)
            let expects = head["expect"] != nil && forwarding.sendsContinue
            try await write(expects ? head.bytes : head.bytes(without: "expect"), to: server)
            var isBodyWanted = true
            var early: HTTPWireHead?
            if expects {
                guard let first = try await answers.head() else { throw HTTPWireError("the server did not answer") }
                isBodyWanted = try first.status == 100
                if isBodyWanted { try await write(first.bytes, to: channel) } else { early = first }
            }
            if isBodyWanted {
                try await forwardBody(of: request, &client, to: server, forwarding, cut: cut, manner)
            }
            if case .afterRequestBody = cut { throw End(manner: manner) }
            try await passAnswer(early, to: request, &answers, forwarding, cut: cut, manner)
            // The body that nobody wanted may or may not come: the next request could not be told from it.
            if !isBodyWanted { throw End(manner: .close) }
        }
    }

    private func forwardBody(
        of request: FaultProxy.Request,
        _ reader: inout HTTPWireReader,
        to server: Wire,
        _ forwarding: FaultProxy.Forwarding,
        cut: FaultProxy.Cut?,
        _ manner: FaultProxy.Manner
    ) async throws {
        var limit: Int?
        if case .afterRequestBody(let bytes) = cut { limit = bytes }
        if limit == 0 { throw End(manner: manner) }
        // A server that has answered already takes no more, and its answer is to be read.
        var isTaken = true
        try await readBody(of: request, &reader) { piece in
            var bytes: ByteBuffer
            switch piece {
            case .framing(let framing), .lastChunk(let framing): bytes = framing
            case .data(let data):
                bytes = data
                if let rest = limit {
                    bytes = data.getSlice(at: data.readerIndex, length: min(rest, data.readableBytes)) ?? data
                    limit = rest - bytes.readableBytes
                }
            }
            do {
                if isTaken { try await write(bytes, to: server) }
            } catch is ChannelError {
                isTaken = false
            } catch is IOError {
                isTaken = false
            }
            if limit == 0 { throw End(manner: manner) }
            try await wait(for: bytes, at: forwarding.uploadRate)
        }
    }

    private func passAnswer(
        _ early: HTTPWireHead?,
        to request: FaultProxy.Request,
        _ answers: inout HTTPWireReader,
        _ forwarding: FaultProxy.Forwarding,
        cut: FaultProxy.Cut?,
        _ manner: FaultProxy.Manner
    ) async throws {
        var next = early
        if next == nil { next = try await answers.head() }
        while let interim = next, try interim.status < 200 { next = try await answers.head() }
        guard let head = next else {
            throw HTTPWireError("the server did not answer \(request.method) \(request.path)")
        }
        answers.begin(try head.answerFraming(to: request.method))

        var limit: Int?
        switch cut {
        case .answerLost:
            while try await answers.piece() != nil {}
            throw End(manner: manner)
        case .insideAnswerHead(let bytes):
            let count = min(bytes, head.bytes.readableBytes - 2)
            if let part = head.bytes.getSlice(at: head.bytes.readerIndex, length: count) {
                try await write(part, to: channel)
            }
            throw End(manner: manner)
        case .afterAnswerBody(let bytes): limit = bytes
        case .afterRequestHead, .afterRequestBody, .beforeAnswer, nil: break
        }
        try await write(head.bytes, to: channel)
        if limit == 0 { throw End(manner: manner) }
        while let piece = try await answers.piece() {
            switch piece {
            case .framing(let bytes): try await write(bytes, to: channel)
            // It would end the body in order.
            case .lastChunk(let bytes): if limit == nil { try await write(bytes, to: channel) }
            case .data(let data):
                var bytes = data
                if let rest = limit {
                    bytes = data.getSlice(at: data.readerIndex, length: min(rest, data.readableBytes)) ?? data
                    limit = rest - bytes.readableBytes
                }
                try await write(bytes, to: channel)
                if limit == 0 { throw End(manner: manner) }
                try await wait(for: bytes, at: forwarding.downloadRate)
            }
        }
        if limit != nil { throw End(manner: manner) }
        if head["connection"]?.lowercased() == "close" { throw End(manner: .close) }
        if head["content-length"] == nil, case .untilClose = try head.answerFraming(to: request.method) {
            throw End(manner: .close)
        }
    }

    private func wait(for bytes: ByteBuffer, at rate: Int?) async throws {
        guard let rate else { return }
        try await Task.sleep(for: .seconds(Double(bytes.readableBytes) / Double(rate)))
    }
}
