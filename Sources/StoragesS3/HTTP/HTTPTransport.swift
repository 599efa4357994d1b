import NIOCore

/// What sends requests: libcurl, or in tests a script.
protocol HTTPTransport: Sendable {
    /// Sends a request and waits for the head of its answer, whatever its status; nothing is tried again, no redirect is
    /// followed.
    ///
    /// - Throws: ``HTTPFailure``; `CancellationError`.
    func send(_ request: HTTPRequest) async throws -> HTTPResponse
}

extension HTTPTransport {
    /// Sends a request and reads the whole answer.
    ///
    /// - Parameters:
    ///   - request: The request.
    ///   - limit: The most bytes of a body to take.
    /// - Throws: ``HTTPFailure``, also for a body beyond the limit; `CancellationError`.
    func collect(_ request: HTTPRequest, upTo limit: Int) async throws -> HTTPAnswer {
        let response = try await send(request)
        var body = ByteBuffer()
        for try await var chunk in response.body {
            guard body.readableBytes + chunk.readableBytes <= limit else {
                throw HTTPFailure(.answerTooLarge, "The answer has more than \(limit) bytes.")
            }
            body.writeBuffer(&chunk)
        }
        return HTTPAnswer(status: response.status, headers: response.headers, body: body)
    }
}
