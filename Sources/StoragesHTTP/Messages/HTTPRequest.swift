package import NIOCore

/// A request as it goes on the wire, but for what the transport adds: `Content-Length` and `Connection`.
package struct HTTPRequest: Sendable {
    package enum Method: String, Sendable {
        case get = "GET"
        case head = "HEAD"
        case put = "PUT"
        case post = "POST"
        case delete = "DELETE"
    }

    package var method: Method
    /// The URL, absolute, ASCII and percent-encoded: sent as it is.
    package var url: String
    /// The headers, `Host` included when it was signed.
    package var headers: HTTPHeaders
    /// The body, whole and in memory, so that the request can be sent again.
    package var body: HTTPBody
    /// The most time from the first byte sent to the last byte received; `nil` for transfers whose length is not
    /// bounded.
    package var timeout: Duration?
    /// The longest time that the transfer may stall.
    package var stallTimeout: Duration = .seconds(30)
    /// The longest to wait for a connection that others have; `nil` for no limit.
    package var waitLimit: Duration? = .seconds(300)
    /// A Boolean value that indicates whether a proxy is never used: for credentials, which no proxy may see.
    package var isDirect = false
    /// A Boolean value that indicates whether a new connection is made although an idle one is there.
    package var usesFreshConnection = false
    /// A Boolean value that indicates whether a body is held back until the server has sent `100 Continue`, or a second
    /// has passed.
    package var expectsContinue = false

    package init(method: Method, url: String, headers: HTTPHeaders, body: HTTPBody = HTTPBody()) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
    }
}

/// The bytes of a request, gathered from buffers without copying them together.
package struct HTTPBody: Sendable {
    package private(set) var chunks: [ByteBuffer] = []
    package private(set) var byteCount = 0
    /// The SHA-256 of all of it, when somebody computed it anyway.
    package var knownSHA256: [UInt8]?

    package init() {}

    package init(_ buffer: ByteBuffer) {
        append(buffer)
    }

    package init(_ text: String) {
        append(ByteBuffer(string: text))
    }

    package mutating func append(_ buffer: ByteBuffer) {
        guard buffer.readableBytes > 0 else { return }
        chunks.append(buffer)
        byteCount += buffer.readableBytes
        knownSHA256 = nil
    }
}
