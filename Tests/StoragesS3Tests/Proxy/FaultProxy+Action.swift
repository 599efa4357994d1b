extension FaultProxy {
    /// The treatment of a request.
    enum Action: Sendable {
        /// Goes to the server and its answer back, perhaps slowly.
        case forward(Forwarding)
        /// Is answered here; the server never sees it.
        case answer(Answer)
        /// The connection ends on the way.
        case cut(Cut, Manner = .close)

        /// Goes to the server and its answer back.
        static var pass: Action { .forward(Forwarding()) }

        /// As `pass`, after a while.
        static func delay(_ delay: Duration) -> Action {
            .forward(Forwarding(delay: delay))
        }

        /// As `pass`, with so many bytes of a body in a second; nil for no limit.
        static func throttle(upload: Int? = nil, download: Int? = nil) -> Action {
            .forward(Forwarding(uploadRate: upload, downloadRate: download))
        }

        /// As `pass`, and no `100 Continue` is ever sent.
        static var withoutContinue: Action { .forward(Forwarding(sendsContinue: false)) }
    }

    /// The options for forwarding a request.
    struct Forwarding: Sendable {
        /// The time that it waits before anything of it goes to the server.
        var delay: Duration = .zero
        /// A Boolean value that indicates whether `Expect` reaches the server and its `100 Continue` the client.
        var sendsContinue = true
        /// The bytes of the request's body in a second.
        var uploadRate: Int?
        /// The bytes of the response's body in a second.
        var downloadRate: Int?
    }

    /// The point at which a connection ends.
    enum Cut: Sendable, Equatable {
        /// The end of the request's head; nothing goes to the server.
        case afterRequestHead
        /// The point at which so many bytes of the request's body have gone to the server, which sees them and the end.
        ///
        /// A body that is shorter goes whole, and the answer is dropped.
        case afterRequestBody(bytes: Int)
        /// The end of the whole request; nothing goes to the server.
        case beforeAnswer
        /// The end of the server's work and of its response; nothing of the response goes to the client.
        case answerLost
        /// The point after so many bytes of the response's head, at most all but the empty line.
        case insideAnswerHead(bytes: Int)
        /// The point after the response's head and so many bytes of its body.
        ///
        /// An answer with fewer is cut at its end, without the end of the last chunk.
        case afterAnswerBody(bytes: Int)
    }

    /// The manner in which a connection ends.
    enum Manner: Sendable {
        /// In order, with FIN: what was sent before arrives.
        case close
        /// With RST: what the client has not read yet is lost.
        case reset
    }

    /// The treatment of a connection.
    enum Acceptance: Sendable {
        case accept
        /// Ends before anything is read from it.
        case cut(Manner)
    }

    /// An answer that the proxy makes up.
    struct Answer: Sendable {
        /// A part of the body.
        enum Piece: Sendable {
            case bytes([UInt8])
            case pause(Duration)
            /// A report to the test that what comes before has gone to the system.
            case note(@Sendable () -> Void)
        }

        /// The way in which the client can find the end of the body.
        enum Framing: Sendable {
            /// By `Content-Length`, and that is true.
            case length
            /// By a `Content-Length` that may be a lie; the connection is closed after what there is.
            case announced(Int)
            /// By chunks; without the last one, the connection is closed.
            case chunked(isTerminated: Bool)
            /// By the end of the connection.
            case untilClose
        }

        var status: Int
        var headers: [(name: String, value: String)] = []
        var body: [Piece] = []
        var framing = Framing.length
        /// A Boolean value that indicates whether the request's body is read before; otherwise the response comes as
        /// soon as the head is there, and the connection is closed after it.
        var readsBody = true
        /// A Boolean value that indicates whether a client that asks for it gets `100 Continue`.
        var sendsContinue = true
        /// A Boolean value that indicates whether `Connection: close` is sent, and done.
        var closes = false

        init(_ status: Int, headers: [(name: String, value: String)] = [], body: String = "") {
            self.status = status
            self.headers = headers
            self.body = body.isEmpty ? [] : [.bytes(Array(body.utf8))]
        }

        /// The answer with its body in pieces of so many bytes, and a pause before each.
        func dripping(_ count: Int, every pause: Duration) -> Answer {
            var answer = self
            let bytes = body.flatMap { piece in
                if case .bytes(let bytes) = piece { bytes } else { [UInt8]() }
            }
            answer.body = stride(from: 0, to: bytes.count, by: count).flatMap { start -> [Piece] in
                [.pause(pause), .bytes(Array(bytes[start..<min(start + count, bytes.count)]))]
            }
            return answer
        }

        /// The answer with spaces before its body, one after each pause, as S3 sends while it assembles an object.
        func afterSpaces(_ count: Int, every pause: Duration) -> Answer {
            var answer = self
            answer.body = Array(repeating: [Piece.pause(pause), .bytes([0x20])], count: count).flatMap { $0 } + body
            return answer
        }

        /// The answer with another framing.
        func framed(_ framing: Framing) -> Answer {
            var answer = self
            answer.framing = framing
            return answer
        }
    }
}
