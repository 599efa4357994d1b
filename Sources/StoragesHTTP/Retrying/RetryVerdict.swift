import Foundation
import Storages

/// The decision about an attempt that failed.
enum RetryVerdict: Equatable {
    /// No further attempt: the failure is the result.
    case fail
    /// A retry after a wait, which counts as an attempt.
    case retry(isThrottled: Bool, after: Duration?)
    /// A retry at once with another connection: the one that was used had been closed long before.
    case reconnect
    /// A retry at once with new credentials: the old ones have expired.
    case refreshCredentials
    /// A retry at once without `Expect: 100-continue`, which something on the way does not know.
    case stopExpecting

    /// Judges a failure by itself; the clock and the region are looked at before.
    init(_ failure: S3Failure) {
        switch failure.cause {
        case .damaged: self = .retry(isThrottled: false, after: nil)
        case .transport(let failure): self = RetryVerdict(failure)
        // A router of requests knows no server for the moment in which one is replaced by another.
        case .foreign(404, let headers): self = .retry(isThrottled: false, after: Self.wait(headers))
        case .foreign(let status, let headers): self = RetryVerdict(status, nil, headers)
        case .document(_, let headers, .unreadable): self = .retry(isThrottled: false, after: Self.wait(headers))
        case .document(_, let headers, .error(let document)):
            // As if the status were 500, but most codes are no fault of the server.
            self = RetryVerdict(Self.isServerFault(document.code) ? 500 : 400, document.code, headers)
        case .response(409, let headers, let document)
        where document.code == .conditionalRequestConflict && failure.retriesConflicts:
            self = .retry(isThrottled: false, after: Self.wait(headers))
        case .response(let status, let headers, let document): self = RetryVerdict(status, document.code, headers)
        }
    }

    /// Returns whether an error code that follows a status of success says as little as status 500 does.
    static func isServerFault(_ code: S3ErrorCode?) -> Bool {
        switch code {
        case .internalError, .internalServerError, .serviceUnavailable, .requestTimeout, nil: true
        default: false
        }
    }

    private init(_ failure: HTTPFailure) {
        if failure.isDeadReusedConnection {
            self = .reconnect
            return
        }
        switch failure.kind {
        case .notConnected, .connectionLost, .truncated, .timedOut, .malformedResponse:
            self = .retry(isThrottled: false, after: nil)
        case .untrusted, .responseTooLarge, .invalidRequest, .noFreeConnection, .setAside, .proxyRefused:
            self = .fail
        }
    }

    private init(_ status: Int, _ code: S3ErrorCode?, _ headers: HTTPHeaders) {
        let wait = Self.wait(headers)
        switch code {
        case .expiredToken, .expiredTokenException, .invalidToken, .tokenRefreshRequired:
            self = .refreshCredentials
            return
        case .slowDown, .throttling, .throttlingException, .requestLimitExceeded, .tooManyRequests,
            .requestThrottled, .serviceUnavailable, .bandwidthLimitExceeded:
            self = .retry(isThrottled: true, after: wait)
            return
        case .requestTimeout, .requestTimeoutException, .priorRequestNotComplete, .operationAborted,
            .incompleteBody,
            .badDigest, .xAmzContentSHA256Mismatch, .internalError:
            self = .retry(isThrottled: false, after: wait)
            return
        default:
            break
        }
        switch status {
        case 429, 503, 509: self = .retry(isThrottled: true, after: wait)
        case 408, 499, 500, 502, 504: self = .retry(isThrottled: false, after: wait)
        // Cloudflare's status codes for a server behind it that does not respond, or not well.
        case 520...527, 530: self = .retry(isThrottled: false, after: wait)
        case 417: self = .stopExpecting
        default: self = .fail
        }
    }

    /// The wait that the server asks for: `x-amz-retry-after` in milliseconds, `Retry-After` in seconds or as a date,
    /// which is compared with the server's own.
    ///
    /// <https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3>
    private static func wait(_ headers: HTTPHeaders) -> Duration? {
        if let milliseconds = headers["x-amz-retry-after"].flatMap({ Int64($0) }), milliseconds >= 0 {
            return .milliseconds(min(milliseconds, 3_600_000))
        }
        guard let text = headers["Retry-After"] else { return nil }
        if let seconds = Int64(text) { return seconds >= 0 ? .seconds(min(seconds, 3600)) : nil }
        guard let date = HTTPDate.date(from: text) else { return nil }
        let now = headers["Date"].flatMap { HTTPDate.date(from: $0) } ?? Date()
        return .seconds(min(max(0, date.timeIntervalSince(now)), 3600))
    }
}
