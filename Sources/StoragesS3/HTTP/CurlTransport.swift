import NIOCore

/// Sends requests through libcurl, so many at a time.
final class CurlTransport: HTTPTransport {
    private let settings: CurlSettings
    private let loop: CurlLoop
    private let gate: WeightedGate

    /// Makes a transport; no connection is made yet.
    ///
    /// - Parameters:
    ///   - settings: How connections are made.
    ///   - concurrency: The most requests at the same time. Default: 64.
    /// - Throws: ``HTTPFailure`` when libcurl cannot start.
    init(_ settings: CurlSettings, concurrency: Int = 64) throws {
        self.settings = settings
        loop = try CurlLoop.shared()
        gate = WeightedGate(capacity: concurrency)
    }

    func send(_ request: HTTPRequest) async throws -> HTTPResponse {
        let pass = try await gate.enter()
        let transfer = CurlTransfer(request, settings, loop, pass)
        let head = try await transfer.start()
        let reader = CurlReader(transfer)
        return HTTPResponse(
            status: head.status,
            headers: head.headers,
            body: HTTPResponseBody {
                { try await reader.next() }
            },
            wasReplayed: head.wasReplayed
        )
    }
}

/// Whoever reads an answer; when it is gone, so is the transfer.
private final class CurlReader: Sendable {
    private let transfer: CurlTransfer

    init(_ transfer: CurlTransfer) {
        self.transfer = transfer
    }

    func next() async throws -> ByteBuffer? {
        try await transfer.read()
    }

    deinit {
        transfer.cancel()
    }
}
