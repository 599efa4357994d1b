import Foundation
import Storages
import StoragesHTTP

/// Signs requests with AWS Signature Version 4.
///
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html>
///
/// Pure functions over a snapshot of credentials and a date: nothing is fetched, and no clock is read. Every attempt of
/// a request is signed anew, with its own date.
struct SigV4Signer: Sendable {
    /// The differences between services.
    struct Options: Sendable {
        /// A Boolean value that indicates whether dot segments and repeated slashes are taken out of the path that is
        /// signed; S3 takes it as it is.
        var normalizesPath = false
        /// A Boolean value that indicates whether the hash of the body goes into a header, too, as S3 requires.
        var addsContentSHA256 = true
        /// A Boolean value that indicates whether the session token is added to the signed request, and not signed
        /// itself.
        var addsTokenAfterSigning = false
        /// A Boolean value that indicates whether `Content-Length` is signed; off, because proxies change it.
        var signsContentLength = false
    }

    static let algorithm = "AWS4-HMAC-SHA256"
    static let emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

    /// The region, such as `us-east-1`.
    let region: String
    /// The service, such as `s3`.
    let service: String
    let options: Options

    /// Makes a signer.
    ///
    /// - Parameters:
    ///   - region: The region, such as `us-east-1`.
    ///   - service: The service. Default: `s3`.
    ///   - options: The differences between services. Default: those of S3.
    init(region: String, service: String = "s3", options: Options = Options()) {
        self.region = region
        self.service = service
        self.options = options
    }

    /// Returns the headers that sign a request: `x-amz-date`, `x-amz-content-sha256`, `x-amz-security-token` when there
    /// is a token, and `Authorization`.
    ///
    /// Headers of the request with these names are of an earlier attempt: they are not signed, and these replace them.
    /// All others are signed, but for those that proxies and clients change on the way. The request's headers went
    /// through ``HeaderValidation/check(_:)`` before, so that no empty one is signed, which would not be sent.
    ///
    /// - Parameters:
    ///   - request: The request with all the headers that will be sent, `Host` among them.
    ///   - credentials: The credentials that sign.
    ///   - date: The date by the clock of the service.
    /// - Throws: ``StorageError`` with code `invalidConfiguration` for a header, region, access key or token that may
    ///   not be in a header, and with code `unavailable` when libcrypto failed.
    func headers(
        signing request: SignableRequest,
        with credentials: S3Credentials,
        at date: Date
    ) throws -> HTTPHeaders {
        let scope = Scope(AmazonDate(date), self)
        var added = [HTTPHeaders.Field(name: "x-amz-date", value: scope.timestamp)]
        if options.addsContentSHA256 {
            added.append(HTTPHeaders.Field(name: "x-amz-content-sha256", value: request.payload.text))
        }
        let token = credentials.sessionToken.map { HTTPHeaders.Field(name: "x-amz-security-token", value: $0) }
        if let token, !options.addsTokenAfterSigning { added.append(token) }

        let headers = try CanonicalHeaders(
            request.headers.fields,
            adding: added,
            signsContentLength: options.signsContentLength
        )
        let canonical = canonicalRequest(
            method: request.method,
            path: request.path,
            query: CanonicalQuery(request.query).bytes,
            headers: headers,
            payload: request.payload
        )
        let signature = try signature(of: canonical, scope: scope, secret: credentials.secretAccessKey)

        if let token, options.addsTokenAfterSigning {
            try HeaderValidation.checkValue(token.value, of: token.name)
            added.append(token)
        }
        // All else in the header is ours.
        try HeaderValidation.checkValue(credentials.accessKeyID, of: "Authorization")
        try HeaderValidation.checkValue(scope.text, of: "Authorization")
        let authorization = authorization(
            credentials: credentials,
            scope: scope,
            names: headers.names,
            signature: signature
        )
        added.append(HTTPHeaders.Field(name: "Authorization", value: authorization))
        return HTTPHeaders(added)
    }

    private func authorization(credentials: S3Credentials, scope: Scope, names: [UInt8], signature: String) -> String {
        // Bytes put together and not an interpolation, which would cost more than the signature.
        var text: [UInt8] = []
        text.reserveCapacity(names.count + credentials.accessKeyID.utf8.count + scope.text.utf8.count + 136)
        text.append(contentsOf: SigV4Signer.algorithm.utf8)
        text.append(contentsOf: " Credential=".utf8)
        text.append(contentsOf: credentials.accessKeyID.utf8)
        text.append(UInt8(ascii: "/"))
        text.append(contentsOf: scope.text.utf8)
        text.append(contentsOf: ", SignedHeaders=".utf8)
        text.append(contentsOf: names)
        text.append(contentsOf: ", Signature=".utf8)
        text.append(contentsOf: signature.utf8)
        return String(decoding: text, as: UTF8.self)
    }

    // MARK: Steps

    /// Returns the canonical request, which is hashed: the request in a form that both sides can make.
    func canonicalRequest(
        method: String,
        path: String,
        query: [UInt8],
        headers: CanonicalHeaders,
        payload: PayloadHash
    ) -> [UInt8] {
        let lineBreak = UInt8(ascii: "\n")
        let path = options.normalizesPath ? PathNormalization.normalized(path) : path
        var text: [UInt8] = []
        text.reserveCapacity(
            path.utf8.count + query.count + headers.lines.count + headers.names.count + method.utf8.count + 80
        )
        text.append(contentsOf: method.utf8)
        text.append(lineBreak)
        text.append(contentsOf: path.isEmpty ? "/".utf8 : path.utf8)
        text.append(lineBreak)
        text.append(contentsOf: query)
        text.append(lineBreak)
        text.append(contentsOf: headers.lines)
        text.append(lineBreak)
        text.append(contentsOf: headers.names)
        text.append(lineBreak)
        text.append(contentsOf: payload.text.utf8)
        return text
    }

    /// Returns the string to sign.
    func stringToSign(canonicalRequest: [UInt8], scope: Scope) throws -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(160)
        text.append(contentsOf: SigV4Signer.algorithm.utf8)
        text.append(UInt8(ascii: "\n"))
        text.append(contentsOf: scope.timestamp.utf8)
        text.append(UInt8(ascii: "\n"))
        text.append(contentsOf: scope.text.utf8)
        text.append(UInt8(ascii: "\n"))
        text.append(hexadecimalOf: try SHA256Hasher.hash(canonicalRequest))
        return text
    }

    func signature(of canonicalRequest: [UInt8], scope: Scope, secret: String) throws -> String {
        try key(for: scope, secret: secret)
            .signature(of: stringToSign(canonicalRequest: canonicalRequest, scope: scope))
    }

    func key(for scope: Scope, secret: String) throws -> SigningKey {
        try SigningKey(secret: secret, day: scope.day, region: region, service: service)
    }

    /// The scope of a signature: the day, the region and the service.
    struct Scope: Sendable {
        /// The time, such as `20130524T000000Z`.
        let timestamp: String
        /// The day, such as `20130524`.
        let day: String
        /// The text, such as `20130524/us-east-1/s3/aws4_request`.
        let text: String

        init(_ date: AmazonDate, _ signer: SigV4Signer) {
            timestamp = date.timestamp
            day = String(Substring(timestamp.utf8.prefix(8)))
            // Appended for the same reason as the header Authorization.
            var text = ""
            text.reserveCapacity(64)
            text += day
            text += "/"
            text += signer.region
            text += "/"
            text += signer.service
            text += "/aws4_request"
            self.text = text
        }
    }
}

extension PayloadHash {
    /// The text in `x-amz-content-sha256` and in the last line of a canonical request.
    var text: String {
        switch self {
        case .sha256(let digits): digits
        case .empty: SigV4Signer.emptyHash
        case .unsigned: "UNSIGNED-PAYLOAD"
        }
    }
}
