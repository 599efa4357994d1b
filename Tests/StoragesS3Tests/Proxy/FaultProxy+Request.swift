extension FaultProxy {
    /// A request that arrived.
    struct Request: Sendable {
        /// The number of requests that came before it, on all connections.
        let number: Int
        /// The connection that it came on, counted from 0.
        let connection: Int
        /// The time at which its head was complete.
        let time: ContinuousClock.Instant
        let method: String
        /// The path as on the wire, not decoded.
        let path: String
        /// The part after the question mark, as on the wire; empty when there is none.
        let query: String
        /// The headers, in the order in which they came.
        let headers: [(name: String, value: String)]
        /// The bytes of the body that were read so far; without the framing of chunks.
        var bodyByteCount = 0
        /// Of the whole body, in hexadecimal digits; nil until it was read, and where the proxy does not hash.
        var bodySHA256: String?
        /// A Boolean value that indicates whether the whole body was read.
        var isComplete = false

        /// The first value of a header; the case of its name does not matter.
        subscript(name: String) -> String? {
            headers.first { $0.name.lowercased() == name.lowercased() }?.value
        }

        init(_ head: HTTPWireHead, number: Int, connection: Int) throws {
            let parts = head.startLine.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 3, parts[2] == "HTTP/1.1" else {
                throw HTTPWireError("no request line: \(head.startLine)")
            }
            let target = parts[1].split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            method = parts[0]
            path = target[0]
            query = target.count == 2 ? target[1] : ""
            headers = head.headers
            time = .now
            self.number = number
            self.connection = connection
        }
    }

    /// A connection that was accepted.
    struct Connection: Sendable {
        /// Its number, counted from 0.
        let number: Int
        let openTime: ContinuousClock.Instant
        var requestCount = 0
        var isOpen = true
        /// Open, and between two requests.
        var isIdle = true
    }
}
