import NIOCore

/// An answer whose head has arrived; its bytes come as they are asked for.
struct HTTPResponse: Sendable {
    var status: Int
    var headers: HTTPHeaders
    /// To be read once, or dropped, which closes the connection.
    var body: HTTPResponseBody
    /// Whether the request may have reached the server more than once.
    var wasReplayed = false
    /// Says that the reader can go on with another request, so that the connection may be taken from it while it does
    /// not read; reading then fails with ``HTTPFailure/Kind/setAside``.
    var allowSettingAside: @Sendable () -> Void = {}
}

/// An answer that has arrived whole.
struct HTTPAnswer: Sendable {
    var status: Int
    var headers: HTTPHeaders
    var body: ByteBuffer
}
