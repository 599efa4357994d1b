import Storages
import StoragesHTTP

extension S3Failure {
    /// Returns the error that a user of the storage gets.
    ///
    /// - Parameters:
    ///   - name: The file.
    ///   - storage: The label of the storage.
    func storageError(_ name: StorageName?, _ storage: String) -> StorageError {
        let (code, message) = judgement
        return StorageError(code, message, name: name?.string, storage: storage, underlying: details)
    }

    private var judgement: (StorageError.Code, String) {
        switch cause {
        case .transport(let failure): Self.judgement(of: failure)
        case .damaged:
            (.corrupted, "The bytes that arrived are not those that the server speaks of. Try again.")
        case .response(407, _, _), .foreign(407, _):
            Self.proxyRefusal
        case .response(let status, _, let document):
            judgement(ofStatus: status, document.code)
        case .foreign(let status, _):
            Self.judgement(ofForeignStatus: status)
        case .document(_, _, let problem):
            if case .error(let document) = problem {
                Self.judgement(ofCode: document.code)
                    ?? (.unavailable, "The server began to say yes and then failed. Try again later.")
            } else {
                (.unavailable, "The server's response cannot be read. Try again later, and check the endpoint.")
            }
        }
    }

    private static let proxyRefusal: (StorageError.Code, String) = (
        .invalidConfiguration,
        "The proxy does not let the request through. Check its URL, user and password in the option proxy, and what "
            + "it allows."
    )

    /// Returns the error for a response that the server did not give.
    private static func judgement(ofForeignStatus status: Int) -> (StorageError.Code, String) {
        switch status {
        case 401, 403:
            (
                .permissionDenied,
                "Something between this machine and the server denies access, such as a proxy or a firewall: the "
                    + "response is a page, not one of S3. Check the endpoint, and what stands in between."
            )
        case 413:
            (
                .tooLarge,
                "Something between this machine and the server does not let so large a request through. Raise its "
                    + "limit, or lower the options transfers.partSize and transfers.multipartThreshold."
            )
        case 300..<400: judgement(ofStatus: status)
        default:
            (
                .unavailable,
                "Something between this machine and the server responds in its place: the response is a page, not "
                    + "one of S3. Try again later, and check the endpoint and what stands in between."
            )
        }
    }

    /// Returns the error for a response of the server to this operation.
    private func judgement(ofStatus status: Int, _ code: S3ErrorCode?) -> (StorageError.Code, String) {
        if status == 403, code == nil || code == .accessDenied, let right = Self.rights[operation] {
            let isOfObject = operation == "HeadObject" || operation == "GetObject"
            return (
                .permissionDenied,
                isOfObject
                    ? "The server denies access, or there is no such file: who may not list the bucket is not told. "
                        + "Check that the credentials have the right s3:GetObject, and give them s3:ListBucket."
                    : "The server denies access. Check that the credentials have the right \(right) on the bucket."
            )
        }
        if status == 404, operation == "DeleteObject", !saysMissing, code == nil {
            return (
                .unavailable,
                "The response does not say as S3 does that there is no such file, so it may exist. Check the "
                    + "endpoint, and what stands between this machine and it."
            )
        }
        return Self.judgement(ofCode: code) ?? Self.judgement(ofStatus: status)
    }

    /// The permissions of operations that a role for reading and writing files often lacks.
    private static let rights = [
        "HeadObject": "s3:ListBucket", "GetObject": "s3:ListBucket", "ListObjects": "s3:ListBucket",
        "HeadBucket": "s3:ListBucket", "ListObjectVersions": "s3:ListBucketVersions",
        "ListMultipartUploads": "s3:ListBucketMultipartUploads", "GetBucketVersioning": "s3:GetBucketVersioning",
    ]

    private static func judgement(of failure: HTTPFailure) -> (StorageError.Code, String) {
        switch failure.kind {
        case .timedOut:
            (.timeout, "The server did not respond in time. Try again later, or check the network.")
        case .untrusted:
            (
                .permissionDenied,
                "The server's certificate is not trusted, or TLS is not set up right. Check the option "
                    + "tls.certificateAuthorityFile and the server's name."
            )
        case .notConnected:
            (.unavailable, "The server cannot be reached. Check the endpoint, and that the server runs.")
        case .noFreeConnection:
            (
                .timeout,
                "Other requests had all connections for too long. Start fewer at a time, read or drop what is open, "
                    + "or raise the option maxConnections or transfers.waitLimit."
            )
        case .proxyRefused:
            proxyRefusal
        case .connectionLost, .truncated, .setAside:
            (.unavailable, "The connection to the server was lost. Try again later.")
        case .responseTooLarge, .malformedResponse:
            (.unavailable, "The endpoint is not an S3 server, or it is broken. Check the endpoint.")
        case .invalidRequest:
            (.invalidConfiguration, "libcurl cannot send such a request. Check the storage's options.")
        }
    }

    private static func judgement(ofCode code: S3ErrorCode?) -> (StorageError.Code, String)? {
        switch code {
        case .noSuchKey, .noSuchVersion:
            (.notFound, "No file has this name. Check the name.")
        case .noSuchUpload:
            (
                .unavailable,
                "The multipart upload was aborted meanwhile, by abortUploads(olderThan:) or a rule of the bucket. "
                    + "Upload again."
            )
        case .noSuchBucket:
            (.invalidConfiguration, "There is no such bucket. Create it, or check the option bucketName.")
        case .accessDenied, .allAccessDisabled, .accountProblem:
            (.permissionDenied, "The server denies access. Check what the credentials may do with this bucket.")
        case .invalidAccessKeyId, .signatureDoesNotMatch, .invalidToken, .expiredToken, .expiredTokenException,
            .tokenRefreshRequired:
            (.permissionDenied, "The server does not accept the credentials. Check the keys, the region and the clock.")
        case .requestTimeTooSkewed, .requestExpired, .requestInTheFuture:
            (.permissionDenied, "The clock of this machine is not right. Set it.")
        case .preconditionFailed, .conditionalRequestConflict:
            (.preconditionFailed, "The file has another version than was asked for. Read its info again.")
        case .invalidRange:
            (.invalidRange, "The range starts behind the end of the file. Ask for a range inside it.")
        case .entityTooLarge:
            (.tooLarge, "The server does not take so large a file. Send less.")
        case .quotaExceeded, .serviceQuotaExceeded, .xMinioStorageFull, .insufficientStorage:
            (.outOfSpace, "The server has no room left. Delete files, or raise the quota.")
        case .slowDown, .serviceUnavailable, .throttling, .throttlingException, .requestLimitExceeded,
            .tooManyRequests, .requestThrottled, .busy:
            (.unavailable, "The server is overloaded. Try again later.")
        case .requestTimeout:
            (.timeout, "The server did not get the request in time. Try again later.")
        case .badDigest, .invalidDigest, .xAmzContentSHA256Mismatch, .incompleteBody,
            .xAmzContentChecksumMismatch:
            (.corrupted, "The bytes were damaged on their way to the server, which did not take them. Try again.")
        case .notImplemented, .methodNotAllowed, .accessControlListNotSupported:
            (.unsupported, "The server cannot do this. Check the storage's options against what the server offers.")
        case .authorizationHeaderMalformed, .permanentRedirect, .temporaryRedirect,
            .illegalLocationConstraintException:
            (.invalidConfiguration, "The bucket is in another region. Check the option region.")
        default:
            nil
        }
    }

    private static func judgement(ofStatus status: Int) -> (StorageError.Code, String) {
        switch status {
        case 304, 412: (.preconditionFailed, "The file has another version than was asked for. Read its info again.")
        case 401, 403: (.permissionDenied, "The server denies access. Check the credentials and what they may do.")
        case 404, 410: (.notFound, "No file has this name, or there is no such bucket. Check both.")
        case 405, 501: (.unsupported, "The server cannot do this. Check what it offers.")
        case 408: (.timeout, "The server did not get the request in time. Try again later.")
        case 413: (.tooLarge, "The server does not take so large a file. Send less.")
        case 416: (.invalidRange, "The range starts behind the end of the file. Ask for a range inside it.")
        case 507: (.outOfSpace, "The server has no room left. Delete files, or raise the quota.")
        case 429, 500...599, 499: (.unavailable, "The server cannot do it at the moment. Try again later.")
        case 300..<400:
            (.invalidConfiguration, "The server redirects, which is not followed. Check endpoint and region.")
        default: (.unsupported, "The server refuses the request. The cause says why.")
        }
    }
}
