import NIOCore

/// A response whose head has arrived; its bytes come as they are asked for.
struct HTTPResponse: Sendable {
    var status: Int
    var headers: HTTPHeaders
    /// The body, to be read once, or dropped, which closes the connection.
    var body: HTTPResponseBody
    /// A Boolean value that indicates whether the request may have reached the server more than once.
    var wasReplayed = false
    /// Allows that the connection is taken from the reader while it does not read, because it can go on with another
    /// request; reading then fails with ``HTTPFailure/Kind/setAside``.
    var allowSettingAside: @Sendable () -> Void = {}
}

/// A response that has arrived whole.
struct BufferedResponse: Sendable {
    var status: Int
    var headers: HTTPHeaders
    var body: ByteBuffer
}
