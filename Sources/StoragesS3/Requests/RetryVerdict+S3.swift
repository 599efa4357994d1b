import StoragesHTTP

extension RetryVerdict {
    /// Judges a failure by its error code, then by its status or by what happened to the transfer; the clock and the
    /// region are looked at before.
    ///
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>
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

    private init(_ status: Int, _ code: S3ErrorCode?, _ headers: HTTPHeaders) {
        let wait = Self.wait(headers)
        switch code {
        case .expiredToken, .expiredTokenException, .invalidToken, .tokenRefreshRequired:
            self = .refreshCredentials
        case .slowDown, .throttling, .throttlingException, .requestLimitExceeded, .tooManyRequests,
            .requestThrottled, .serviceUnavailable, .bandwidthLimitExceeded:
            self = .retry(isThrottled: true, after: wait)
        case .requestTimeout, .requestTimeoutException, .priorRequestNotComplete, .operationAborted, .incompleteBody,
            .badDigest, .xAmzContentSHA256Mismatch, .internalError:
            self = .retry(isThrottled: false, after: wait)
        default:
            self = RetryVerdict(status: status, after: wait)
        }
    }

    private static func wait(_ headers: HTTPHeaders) -> Duration? {
        wait(askedBy: headers, inMilliseconds: "x-amz-retry-after")
    }
}
