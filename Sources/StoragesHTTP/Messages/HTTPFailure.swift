/// The reason why a request got no response, or only a part of it.
package struct HTTPFailure: Error, Sendable, CustomStringConvertible {
    package enum Kind: Hashable, Sendable {
        /// No connection: name resolution, connecting, the TLS handshake. Nothing was sent.
        case notConnected
        /// The certificate is not trusted, or the TLS settings do not go together. Trying again does not help.
        case untrusted
        /// The proxy does not let the request through. Nothing was sent to the server.
        case proxyRefused
        /// The connection was lost after something may have been sent.
        case connectionLost
        /// The response ended before its announced length.
        case truncated
        /// A deadline passed, or nothing moved for too long.
        case timedOut
        /// The body or the head of the response is larger than allowed.
        case responseTooLarge
        /// The other side sent something that is no HTTP.
        case malformedResponse
        /// The request cannot be sent as it is: a defect of the caller.
        case invalidRequest
        /// Other requests had all connections for too long. Nothing was sent.
        case noFreeConnection
        /// The response was not read, and others needed its connection: what is left of it has to be requested again.
        case setAside
    }

    package var kind: Kind
    /// The description of the failure, without secrets: no URL, no header.
    package var message: String
    /// The result code of libcurl, `nil` when the failure is not from there.
    package var curlCode: Int?
    /// A Boolean value that indicates whether the connection had been used before and not a byte of a response came: it
    /// was dead before the request.
    package var isDeadReusedConnection = false
    /// A Boolean value that indicates whether nothing of the request was sent.
    package var isUnsent = false
    /// A Boolean value that indicates whether libcurl may have sent the request more than once.
    package var wasReplayed = false
    /// A Boolean value that indicates whether the other side refused the header `Expect` before this happened.
    package var hasRefusedExpectation = false

    package init(_ kind: Kind, _ message: String, curlCode: Int? = nil) {
        self.kind = kind
        self.message = message
        self.curlCode = curlCode
    }

    package var description: String { message }

    package static let setAside = HTTPFailure(.setAside, "The response was not read, and others needed its connection.")

    package static func noFreeConnection(after limit: Duration?, of count: Int) -> HTTPFailure {
        let time = limit.map { "\($0)" } ?? "too long"
        var failure = HTTPFailure(.noFreeConnection, "All of the \(count) connections were in use for \(time).")
        failure.isUnsent = true
        return failure
    }
}
