import NIOCore

/// An answer whose head has arrived; its bytes come as they are asked for.
struct HTTPResponse: Sendable {
    var status: Int
    var headers: HTTPHeaders
    /// To be read once, or dropped, which closes the connection.
    var body: HTTPResponseBody
    /// Whether the request may have reached the server more than once.
    var wasReplayed = false
}

/// An answer that has arrived whole.
struct HTTPAnswer: Sendable {
    var status: Int
    var headers: HTTPHeaders
    var body: ByteBuffer
}
