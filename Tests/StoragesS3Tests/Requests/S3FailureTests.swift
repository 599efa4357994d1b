import Storages
import TestSupport
import Testing

@testable import StoragesHTTP
@testable import StoragesS3

@Suite("Storage errors of S3 failures")
struct S3FailureTests {
    static let codes: [(String, StorageError.Code)] = [
        ("NoSuchKey", .notFound), ("NoSuchVersion", .notFound), ("NoSuchUpload", .unavailable),
        ("NoSuchBucket", .invalidConfiguration),
        ("AccessDenied", .permissionDenied), ("AllAccessDisabled", .permissionDenied),
        ("AccountProblem", .permissionDenied),
        ("InvalidAccessKeyId", .permissionDenied), ("SignatureDoesNotMatch", .permissionDenied),
        ("InvalidToken", .permissionDenied), ("ExpiredToken", .permissionDenied),
        ("ExpiredTokenException", .permissionDenied), ("TokenRefreshRequired", .permissionDenied),
        ("RequestTimeTooSkewed", .permissionDenied), ("RequestExpired", .permissionDenied),
        ("RequestInTheFuture", .permissionDenied),
        ("PreconditionFailed", .preconditionFailed), ("ConditionalRequestConflict", .preconditionFailed),
        ("InvalidRange", .invalidRange), ("EntityTooLarge", .tooLarge),
        ("QuotaExceeded", .outOfSpace), ("ServiceQuotaExceeded", .outOfSpace), ("XMinioStorageFull", .outOfSpace),
        ("InsufficientStorage", .outOfSpace),
        ("SlowDown", .unavailable), ("ServiceUnavailable", .unavailable), ("Throttling", .unavailable),
        ("ThrottlingException", .unavailable), ("RequestLimitExceeded", .unavailable),
        ("TooManyRequests", .unavailable),
        ("RequestThrottled", .unavailable), ("Busy", .unavailable), ("RequestTimeout", .timeout),
        ("BadDigest", .corrupted), ("InvalidDigest", .corrupted), ("XAmzContentSHA256Mismatch", .corrupted),
        ("IncompleteBody", .corrupted), ("XAmzContentChecksumMismatch", .corrupted),
        ("NotImplemented", .unsupported), ("MethodNotAllowed", .unsupported),
        ("AccessControlListNotSupported", .unsupported),
        ("AuthorizationHeaderMalformed", .invalidConfiguration), ("PermanentRedirect", .invalidConfiguration),
        ("TemporaryRedirect", .invalidConfiguration), ("IllegalLocationConstraintException", .invalidConfiguration),
    ]

    static let statuses: [(Int, StorageError.Code)] = [
        (304, .preconditionFailed), (412, .preconditionFailed), (401, .permissionDenied), (403, .permissionDenied),
        (404, .notFound), (410, .notFound), (405, .unsupported), (501, .unsupported), (408, .timeout), (413, .tooLarge),
        (416, .invalidRange), (507, .outOfSpace), (429, .unavailable), (499, .unavailable), (500, .unavailable),
        (502, .unavailable), (503, .unavailable), (504, .unavailable), (599, .unavailable),
        (301, .invalidConfiguration), (400, .unsupported), (409, .unsupported),
    ]

    private static func error(_ cause: S3Failure.Cause) -> StorageError {
        S3Failure(S3Operation("GetObject", .get, key: "k"), bucket: "b", cause)
            .storageError(StorageName(unchecked: "k"), "S3Storage(b)")
    }

    @Test("The error code of a response decides the storage error, whatever the status", arguments: codes)
    func mapsCode(code: String, expected: StorageError.Code) {
        var document = S3ErrorDocument()
        document.code = S3ErrorCode(rawValue: code)
        for error in [
            Self.error(.response(status: 418, headers: [:], document)),
            Self.error(.document(status: 200, headers: [:], .error(document))),
        ] {
            #expect(error.code == expected)
            #expect(error.name == "k")
            #expect(error.storage == "S3Storage(b)")
            #expect((error.underlying as? S3ErrorDetails)?.code == code)
            #expect(error.message.hasSuffix("."))
        }
    }

    @Test("The status decides the storage error where the error code is missing or unknown", arguments: statuses)
    func mapsStatus(status: Int, expected: StorageError.Code) {
        var document = S3ErrorDocument()
        for code in [nil, "SomethingNew"] {
            document.code = code.flatMap { S3ErrorCode(rawValue: $0) }
            #expect(Self.error(.response(status: status, headers: [:], document)).code == expected)
        }
    }

    @Test(
        "The transfer failure decides the storage error where there is no response",
        arguments: [
            (.timedOut, .timeout), (.untrusted, .permissionDenied), (.notConnected, .unavailable),
            (.connectionLost, .unavailable), (.truncated, .unavailable), (.responseTooLarge, .unavailable),
            (.malformedResponse, .unavailable), (.invalidRequest, .invalidConfiguration),
        ] as [(HTTPFailure.Kind, StorageError.Code)]
    )
    func transport(kind: HTTPFailure.Kind, expected: StorageError.Code) {
        #expect(Self.error(.transport(HTTPFailure(kind, "because"))).code == expected)
        #expect(Self.error(.transport(HTTPFailure(kind, "because"))).description.contains("because"))
    }

    @Test("Damaged bytes and unreadable documents become storage errors")
    func rest() {
        #expect(Self.error(.damaged(.crc32)).code == .corrupted)
        #expect(Self.error(.document(status: 200, headers: [:], .unreadable("why"))).code == .unavailable)
        #expect(Self.error(.document(status: 200, headers: [:], .error(S3ErrorDocument()))).code == .unavailable)
    }
}
