import NIOCore
import Platform

/// Sends requests through libcurl, a limited number at a time.
package final class CurlTransport: HTTPTransport {
    private let settings: CurlSettings
    private let loop: CurlLoop
    let semaphore: AsyncSemaphore
    private let unread: UnreadTransfers

    /// Makes a transport; no connection is made yet.
    ///
    /// - Parameters:
    ///   - settings: The settings of connections.
    ///   - concurrency: The most requests at the same time. Default: 64.
    /// - Throws: ``HTTPFailure`` when libcurl cannot start.
    package init(_ settings: CurlSettings, concurrency: Int = 64) throws {
        self.settings = settings
        loop = try CurlLoop.shared()
        semaphore = AsyncSemaphore(capacity: concurrency)
        unread = UnreadTransfers(semaphore)
    }

    package func send(_ request: HTTPRequest) async throws -> HTTPResponse {
        let permit = try await connection(for: request)
        let transfer = CurlTransfer(request, with: settings, on: loop, permit: permit)
        let head = try await transfer.start()
        let reader = CurlReader(transfer)
        return HTTPResponse(
            status: head.status,
            headers: head.headers,
            body: HTTPResponseBody {
                { try await reader.next() }
            },
            wasReplayed: head.wasReplayed,
            allowSettingAside: { [unread] in unread.add(transfer) }
        )
    }

    /// Waits until one more request is allowed.
    private func connection(for request: HTTPRequest) async throws -> AsyncSemaphore.Permit {
        if let permit = semaphore.tryAcquire() { return permit }
        do {
            return try await unread.makingRoom { try await semaphore.acquire(within: request.waitLimit) }
        } catch AsyncSemaphore.WaitError.timedOut {
            throw HTTPFailure.noFreeConnection(after: request.waitLimit, of: semaphore.capacity)
        }
    }
}

/// The reader of a response; when it is gone, the transfer is cancelled.
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
