import NIOCore
import Storages
import StoragesHTTP

/// A failure that may be gone a moment later.
struct TransientFailure: Error {
    var error: StorageError
}

/// The number of requests to a service, and the wait in between.
struct CredentialAttempts: Sendable {
    /// The most bytes of a response with credentials.
    static let responseLimit = 64 << 10

    var limit = 3
    var interval: Duration = .seconds(1)
    var pause: @Sendable (Duration) async throws -> Void

    /// Runs something until it succeeds, fails for good, or the attempts are used up.
    ///
    /// - Parameter attempt: The attempt. It throws ``TransientFailure`` for a failure that another attempt may mend.
    /// - Throws: The error of the last attempt.
    func run<Result>(_ attempt: () async throws -> Result) async throws -> Result {
        do {
            return try await RetryPolicy(maxAttempts: limit, every: interval).run(
                pause: { _, delay in try await pause(delay) },
                judge: { error, _ in error is TransientFailure ? .retry(isThrottled: false, after: nil) : .fail }
            ) { _ in
                try await attempt()
            }
        } catch let failure as TransientFailure {
            throw failure.error
        }
    }
}

extension HTTPTransport {
    /// Sends a request for credentials, once, and reads the response, whatever its status.
    ///
    /// - Parameters:
    ///   - request: The request.
    ///   - service: The name of the service, for messages.
    /// - Throws: ``TransientFailure`` when the service was not reached or broke off; ``StorageError`` for what stays
    ///   so; `CancellationError`.
    func response(to request: HTTPRequest, from service: String) async throws -> BufferedResponse {
        do {
            return try await collect(request, upTo: CredentialAttempts.responseLimit)
        } catch let failure as HTTPFailure {
            func error(_ code: StorageError.Code, _ remedy: String) -> StorageError {
                StorageError(code, "\(service) gave no credentials: \(failure.message) \(remedy)", underlying: failure)
            }
            switch failure.kind {
            case .notConnected, .connectionLost, .truncated, .timedOut, .noFreeConnection, .setAside:
                throw TransientFailure(error: error(.unavailable, "Check that it runs and can be reached."))
            case .malformedResponse, .responseTooLarge:
                throw error(.unavailable, "Check that its URL is that of such a service.")
            case .untrusted:
                throw error(.permissionDenied, "Check its certificate, and the certificates that are trusted here.")
            case .proxyRefused:
                throw error(.unavailable, "Check the proxy.")
            case .invalidRequest:
                throw error(.invalidConfiguration, "Check its URL.")
            }
        }
    }
}

extension BufferedResponse {
    /// A Boolean value that indicates whether the status reports trouble of the service that may be gone soon.
    var isTransientFailure: Bool { status >= 500 || status == 408 || status == 429 }

    /// Throws unless the status is 200.
    ///
    /// - Parameters:
    ///   - service: The name of the service, for messages.
    ///   - complaint: The error that the response reports. Default: none.
    /// - Throws: ``TransientFailure`` or ``StorageError`` for any other status; redirects are not followed.
    func requireSuccess(from service: String, complaint: String? = nil) throws {
        guard status != 200 else { return }
        let detail = complaint.map { " and \($0)" } ?? ""
        let text = "\(service) responded with status \(status)\(detail)"
        if isTransientFailure { throw TransientFailure(error: StorageError(.unavailable, "\(text); try again later.")) }
        switch status {
        case 300..<400:
            throw StorageError(.unavailable, "\(text), a redirect, which is not followed with credentials.")
        case 401, 403:
            throw StorageError(.permissionDenied, "\(text); check what this process is allowed to.")
        default:
            throw StorageError(.unavailable, "\(text); check its URL and that it has credentials to give.")
        }
    }
}
