import NIOCore

/// An error that the bytes received are no HTTP/1.1.
struct HTTPWireError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// The head of a message, and its bytes as they came.
struct HTTPWireHead {
    var bytes: ByteBuffer
    var startLine: String
    var headers: [(name: String, value: String)] = []

    init(_ bytes: ByteBuffer) throws {
        self.bytes = bytes
        var lines = String(buffer: bytes).split(separator: "\r\n").map(String.init)
        guard !lines.isEmpty else { throw HTTPWireError("an empty head") }
        startLine = lines.removeFirst()
        for line in lines {
            guard let colon = line.firstIndex(of: ":") else { throw HTTPWireError("no field: \(line)") }
            let value = line[line.index(after: colon)...]
            headers.append((String(line[..<colon]), value.trimmingPrefix(while: \.isWhitespace).description))
        }
    }

    subscript(name: String) -> String? {
        headers.first { $0.name.lowercased() == name }?.value
    }

    /// The status of an answer.
    var status: Int {
        get throws {
            let parts = startLine.split(separator: " ")
            guard parts.count >= 2, let status = Int(parts[1]) else {
                throw HTTPWireError("no status line: \(startLine)")
            }
            return status
        }
    }

    /// The bytes without some fields.
    func bytes(without name: String) -> ByteBuffer {
        let kept = headers.filter { $0.name.lowercased() != name }.map { "\($0.name): \($0.value)\r\n" }
        return ByteBuffer(string: "\(startLine)\r\n\(kept.joined())\r\n")
    }

    /// The framing of the body of a request.
    var requestFraming: HTTPWireReader.Framing {
        if self["transfer-encoding"] != nil { return .chunked }
        return .length(self["content-length"].flatMap { Int($0) } ?? 0)
    }

    /// Returns the framing of the body of a response.
    func answerFraming(to method: String) throws -> HTTPWireReader.Framing {
        let status = try status
        if method == "HEAD" || status == 204 || status == 304 || status < 200 { return .length(0) }
        if self["transfer-encoding"] != nil { return .chunked }
        return self["content-length"].flatMap { Int($0) }.map { .length($0) } ?? .untilClose
    }
}

/// Reads messages from one side of a connection.
struct HTTPWireReader {
    enum Framing {
        case length(Int)
        case chunked
        case untilClose
    }

    /// A part of a body as it came.
    enum Piece {
        case data(ByteBuffer)
        /// Sizes of chunks and ends of lines.
        case framing(ByteBuffer)
        /// The chunk of size 0, and what follows it.
        case lastChunk(ByteBuffer)
    }

    private var source: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    private var buffer = ByteBuffer()
    private var framing = Framing.length(0)

    init(_ stream: NIOAsyncChannelInboundStream<ByteBuffer>) {
        source = stream.makeAsyncIterator()
    }

    /// The next head; nil when the connection ended between two messages.
    mutating func head() async throws -> HTTPWireHead? {
        while true {
            if let end = endOfHead() {
                guard let bytes = buffer.readSlice(length: end) else { throw HTTPWireError("a head that is not there") }
                return try HTTPWireHead(bytes)
            }
            guard buffer.readableBytes < 1 << 18 else { throw HTTPWireError("a head of 256 KiB") }
            guard try await fill() else {
                guard buffer.readableBytes == 0 else { throw HTTPWireError("a head without its end") }
                return nil
            }
        }
    }

    private func endOfHead() -> Int? {
        let view = buffer.readableBytesView
        let end: [UInt8] = [13, 10, 13, 10]
        guard let range = view.firstRange(of: end) else { return nil }
        return view.distance(from: view.startIndex, to: range.upperBound)
    }

    /// Sets the framing of the body that `piece` reads.
    mutating func begin(_ framing: Framing) {
        self.framing = framing
        isInChunk = false
    }

    private var isInChunk = false
    private var chunkRest = 0

    /// The next part of the body, of at most 16 KiB of data; nil at its end.
    mutating func piece() async throws -> Piece? {
        switch framing {
        case .length(0): return nil
        case .length(let rest):
            guard let data = try await data(upTo: rest) else { throw HTTPWireError("a body without its end") }
            framing = .length(rest - data.readableBytes)
            return .data(data)
        case .untilClose:
            return try await data(upTo: .max).map { .data($0) }
        case .chunked:
            return try await chunkPiece()
        }
    }

    private mutating func chunkPiece() async throws -> Piece? {
        if isInChunk, chunkRest > 0 {
            guard let data = try await data(upTo: chunkRest) else { throw HTTPWireError("a chunk without its end") }
            chunkRest -= data.readableBytes
            return .data(data)
        }
        var raw = ByteBuffer()
        if isInChunk {
            var end = try await line()
            raw.writeBuffer(&end)
        }
        var sizeLine = try await line()
        let text = String(buffer: sizeLine).prefix { $0.isHexDigit }
        guard let size = Int(text, radix: 16) else { throw HTTPWireError("no size of a chunk: \(text)") }
        raw.writeBuffer(&sizeLine)
        isInChunk = true
        chunkRest = size
        guard size == 0 else { return .framing(raw) }
        // Trailing fields up to the empty line.
        while true {
            var trailer = try await line()
            let isEnd = trailer.readableBytes <= 2
            raw.writeBuffer(&trailer)
            if isEnd { break }
        }
        framing = .length(0)
        return .lastChunk(raw)
    }

    private mutating func line() async throws -> ByteBuffer {
        while true {
            if let end = buffer.readableBytesView.firstIndex(of: 10) {
                let length = end - buffer.readerIndex + 1
                guard let line = buffer.readSlice(length: length) else {
                    throw HTTPWireError("a line that is not there")
                }
                return line
            }
            guard try await fill() else { throw HTTPWireError("a line without its end") }
        }
    }

    private mutating func data(upTo limit: Int) async throws -> ByteBuffer? {
        while buffer.readableBytes == 0 {
            guard try await fill() else { return nil }
        }
        return buffer.readSlice(length: min(buffer.readableBytes, limit, 16 << 10))
    }

    /// Waits for more; false at the end of the connection.
    private mutating func fill() async throws -> Bool {
        guard var more = try await source.next(isolation: #isolation) else { return false }
        buffer.discardReadBytes()
        buffer.writeBuffer(&more)
        return true
    }
}
