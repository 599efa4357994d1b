package import NIOCore

/// A response whose head has arrived; its bytes come as they are asked for.
package struct HTTPResponse: Sendable {
    package var status: Int
    package var headers: HTTPHeaders
    /// The body, to be read once, or dropped, which closes the connection.
    package var body: HTTPResponseBody
    /// A Boolean value that indicates whether the request may have reached the server more than once.
    package var wasReplayed: Bool
    /// Allows that the connection is taken from the reader while it does not read, because it can go on with another
    /// request; reading then fails with ``HTTPFailure/Kind/setAside``.
    package var allowSettingAside: @Sendable () -> Void

    package init(
        status: Int,
        headers: HTTPHeaders,
        body: HTTPResponseBody,
        wasReplayed: Bool = false,
        allowSettingAside: @escaping @Sendable () -> Void = {}
    ) {
        self.status = status
        self.headers = headers
        self.body = body
        self.wasReplayed = wasReplayed
        self.allowSettingAside = allowSettingAside
    }
}

/// A response that has arrived whole.
package struct BufferedResponse: Sendable {
    package var status: Int
    package var headers: HTTPHeaders
    package var body: ByteBuffer

    package init(status: Int, headers: HTTPHeaders, body: ByteBuffer) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}
