import NIOCore

/// A type that sends requests: libcurl, or a script in tests.
package protocol HTTPTransport: Sendable {
    /// Sends a request and waits for the head of its response, whatever its status; nothing is tried again, no redirect
    /// is followed.
    ///
    /// - Throws: ``HTTPFailure``; `CancellationError`.
    func send(_ request: HTTPRequest) async throws -> HTTPResponse
}

extension HTTPTransport {
    /// Sends a request and reads the whole response.
    ///
    /// - Parameters:
    ///   - request: The request.
    ///   - limit: The most bytes of a body to take.
    /// - Throws: ``HTTPFailure``, also for a body beyond the limit; `CancellationError`.
    package func collect(_ request: HTTPRequest, upTo limit: Int) async throws -> BufferedResponse {
        try await send(request).collected(upTo: limit)
    }
}

extension HTTPResponse {
    /// Reads the beginning of the body; the connection is closed when more follows.
    ///
    /// - Parameter limit: The most bytes to take.
    package func beginning(upTo limit: Int) async throws -> BufferedResponse {
        var collected = ByteBuffer()
        var iterator = body.makeAsyncIterator()
        while collected.readableBytes < limit, var chunk = try await iterator.next() {
            let wanted = chunk.readSlice(length: min(chunk.readableBytes, limit - collected.readableBytes))
            if let wanted { collected.writeImmutableBuffer(wanted) }
        }
        return BufferedResponse(status: status, headers: headers, body: collected)
    }

    /// Reads the body.
    ///
    /// - Parameter limit: The most bytes to take.
    package func collected(upTo limit: Int) async throws -> BufferedResponse {
        var collected = ByteBuffer()
        for try await var chunk in body {
            guard collected.readableBytes + chunk.readableBytes <= limit else {
                throw HTTPFailure(.responseTooLarge, "The response has more than \(limit) bytes.")
            }
            if collected.readableBytes == 0 { collected = chunk } else { collected.writeBuffer(&chunk) }
        }
        return BufferedResponse(status: status, headers: headers, body: collected)
    }
}
