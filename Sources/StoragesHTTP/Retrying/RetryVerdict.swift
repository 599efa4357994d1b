import Foundation

/// The decision about an attempt that failed.
package enum RetryVerdict: Hashable, Sendable {
    /// No further attempt: the failure is the result.
    case fail
    /// A retry after a wait, which counts as an attempt.
    case retry(isThrottled: Bool, after: Duration?)
    /// A retry at once, which does not count: the reason of the failure has been corrected.
    case retryAtOnce
    /// A retry at once with another connection: the one that was used had been closed long before.
    case reconnect
    /// A retry at once with new credentials: the old ones have expired.
    ///
    /// The client fetches them and turns this into ``retryAtOnce``; where nothing does, the failure is final.
    case refreshCredentials
    /// A retry at once without `Expect: 100-continue`, which something on the way does not know.
    case stopExpecting

    /// Judges a transfer that failed.
    package init(_ failure: HTTPFailure) {
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

    /// Judges a response by its status alone.
    ///
    /// - Parameters:
    ///   - status: The status code: <https://www.rfc-editor.org/rfc/rfc9110#section-15>
    ///   - wait: The wait that the server asks for.
    package init(status: Int, after wait: Duration?) {
        switch status {
        case 429, 503, 509: self = .retry(isThrottled: true, after: wait)
        case 408, 499, 500, 502, 504: self = .retry(isThrottled: false, after: wait)
        // Cloudflare's status codes for a server behind it that does not respond, or not well:
        // https://support.cloudflare.com/hc/en-us/articles/115003011431
        case 520...527, 530: self = .retry(isThrottled: false, after: wait)
        case 417: self = .stopExpecting
        default: self = .fail
        }
    }

    /// Returns the wait that a server asks for with `Retry-After`, in seconds or as a date, which is compared with the
    /// server's own; an hour at most.
    ///
    /// <https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3>
    ///
    /// - Parameters:
    ///   - headers: The headers of the response.
    ///   - name: The header of the service that has milliseconds, and counts more. Default: none.
    package static func wait(askedBy headers: HTTPHeaders, inMilliseconds name: String? = nil) -> Duration? {
        if let name, let milliseconds = headers[name].flatMap({ Int64($0) }), milliseconds >= 0 {
            return .milliseconds(min(milliseconds, 3_600_000))
        }
        guard let text = headers["Retry-After"] else { return nil }
        if let seconds = Int64(text) { return seconds >= 0 ? .seconds(min(seconds, 3600)) : nil }
        guard let date = HTTPDate.date(from: text) else { return nil }
        let now = headers["Date"].flatMap { HTTPDate.date(from: $0) } ?? Date()
        return .seconds(min(max(0, date.timeIntervalSince(now)), 3600))
    }
}
