import StoragesHTTP

/// The code of an error response of S3, such as `NoSuchKey`: ASCII letters, digits, `.`, `_` and `-`.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList>
struct S3ErrorCode: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    let rawValue: String

    /// Creates a code from a response; `nil` for a text that is no code.
    init?(rawValue: String) {
        let isCode =
            !rawValue.isEmpty && rawValue.utf8.count <= 128
            && rawValue.utf8.allSatisfy { HostName.isAlphanumeric($0) || "._-".utf8.contains($0) }
        guard isCode else { return nil }
        self.rawValue = rawValue
    }

    private init(known rawValue: String) {
        self.rawValue = rawValue
    }

    var description: String { rawValue }
}

// The codes that decide something here. Not only Amazon's: other servers and gateways have codes of their own.
extension S3ErrorCode {
    static let accessDenied = S3ErrorCode(known: "AccessDenied")
    static let accountProblem = S3ErrorCode(known: "AccountProblem")
    static let allAccessDisabled = S3ErrorCode(known: "AllAccessDisabled")
    static let authFailure = S3ErrorCode(known: "AuthFailure")
    static let authorizationHeaderMalformed = S3ErrorCode(known: "AuthorizationHeaderMalformed")
    static let authorizationQueryParametersError = S3ErrorCode(known: "AuthorizationQueryParametersError")
    static let badDigest = S3ErrorCode(known: "BadDigest")
    static let bandwidthLimitExceeded = S3ErrorCode(known: "BandwidthLimitExceeded")
    static let bucketAlreadyOwnedByYou = S3ErrorCode(known: "BucketAlreadyOwnedByYou")
    static let busy = S3ErrorCode(known: "Busy")
    static let conditionalRequestConflict = S3ErrorCode(known: "ConditionalRequestConflict")
    static let entityTooLarge = S3ErrorCode(known: "EntityTooLarge")
    static let expiredToken = S3ErrorCode(known: "ExpiredToken")
    static let expiredTokenException = S3ErrorCode(known: "ExpiredTokenException")
    static let fileAlreadyExists = S3ErrorCode(known: "FileAlreadyExists")
    static let illegalLocationConstraintException = S3ErrorCode(known: "IllegalLocationConstraintException")
    static let incompleteBody = S3ErrorCode(known: "IncompleteBody")
    static let incorrectEndpoint = S3ErrorCode(known: "IncorrectEndpoint")
    static let insufficientStorage = S3ErrorCode(known: "InsufficientStorage")
    static let internalError = S3ErrorCode(known: "InternalError")
    static let internalServerError = S3ErrorCode(known: "InternalServerError")
    static let invalidAccessKeyId = S3ErrorCode(known: "InvalidAccessKeyId")
    static let invalidArgument = S3ErrorCode(known: "InvalidArgument")
    static let invalidDigest = S3ErrorCode(known: "InvalidDigest")
    static let invalidRange = S3ErrorCode(known: "InvalidRange")
    static let invalidRegion = S3ErrorCode(known: "InvalidRegion")
    static let invalidRequest = S3ErrorCode(known: "InvalidRequest")
    static let invalidSignatureException = S3ErrorCode(known: "InvalidSignatureException")
    static let invalidToken = S3ErrorCode(known: "InvalidToken")
    static let malformedXML = S3ErrorCode(known: "MalformedXML")
    static let methodNotAllowed = S3ErrorCode(known: "MethodNotAllowed")
    static let noSuchBucket = S3ErrorCode(known: "NoSuchBucket")
    static let noSuchKey = S3ErrorCode(known: "NoSuchKey")
    static let noSuchUpload = S3ErrorCode(known: "NoSuchUpload")
    static let noSuchVersion = S3ErrorCode(known: "NoSuchVersion")
    static let notImplemented = S3ErrorCode(known: "NotImplemented")
    static let objectAlreadyExists = S3ErrorCode(known: "ObjectAlreadyExists")
    static let operationAborted = S3ErrorCode(known: "OperationAborted")
    static let permanentRedirect = S3ErrorCode(known: "PermanentRedirect")
    static let preconditionFailed = S3ErrorCode(known: "PreconditionFailed")
    static let priorRequestNotComplete = S3ErrorCode(known: "PriorRequestNotComplete")
    static let quotaExceeded = S3ErrorCode(known: "QuotaExceeded")
    static let requestExpired = S3ErrorCode(known: "RequestExpired")
    static let requestInTheFuture = S3ErrorCode(known: "RequestInTheFuture")
    static let requestLimitExceeded = S3ErrorCode(known: "RequestLimitExceeded")
    static let requestThrottled = S3ErrorCode(known: "RequestThrottled")
    static let requestTimeTooSkewed = S3ErrorCode(known: "RequestTimeTooSkewed")
    static let requestTimeout = S3ErrorCode(known: "RequestTimeout")
    static let requestTimeoutException = S3ErrorCode(known: "RequestTimeoutException")
    static let serviceQuotaExceeded = S3ErrorCode(known: "ServiceQuotaExceeded")
    static let serviceUnavailable = S3ErrorCode(known: "ServiceUnavailable")
    static let signatureDoesNotMatch = S3ErrorCode(known: "SignatureDoesNotMatch")
    static let slowDown = S3ErrorCode(known: "SlowDown")
    static let temporaryRedirect = S3ErrorCode(known: "TemporaryRedirect")
    static let throttling = S3ErrorCode(known: "Throttling")
    static let throttlingException = S3ErrorCode(known: "ThrottlingException")
    static let tokenRefreshRequired = S3ErrorCode(known: "TokenRefreshRequired")
    static let tooManyRequests = S3ErrorCode(known: "TooManyRequests")
    static let unsupportedArgument = S3ErrorCode(known: "UnsupportedArgument")
    static let xAmzContentChecksumMismatch = S3ErrorCode(known: "XAmzContentChecksumMismatch")
    static let xAmzContentSHA256Mismatch = S3ErrorCode(known: "XAmzContentSHA256Mismatch")
    static let xMinioStorageFull = S3ErrorCode(known: "XMinioStorageFull")
    static let accessControlListNotSupported = S3ErrorCode(known: "AccessControlListNotSupported")
}
