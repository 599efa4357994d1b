import Foundation
import Storages
import StoragesHTTP

extension SigV4Signer {
    /// Makes a URL that carries its signature; nothing is sent.
    ///
    /// The body of a PUT is not signed: the client chooses it. A form with a ``PostPolicy`` bounds its size.
    ///
    /// - Parameters:
    ///   - request: The request that the URL allows.
    ///   - credentials: The credentials that sign; a token is signed, too.
    ///   - date: The date by the clock of the service.
    /// - Throws: ``StorageError`` with code `invalidURL` for a lifetime, or one with its quantum, outside 1 second to 7
    ///   days, names that are of the signature itself or given twice, and overrides of the response to a method other
    ///   than GET and HEAD; `unsupported` for POST; `invalidConfiguration` for headers that may not be sent;
    ///   `unavailable` when libcrypto failed.
    func presignedURL(
        _ request: PresignedURL.Request,
        with credentials: S3Credentials,
        at date: Date
    ) throws -> PresignedURL {
        guard request.method != .post else {
            throw StorageError(
                .unsupported,
                "S3 takes no POST through a presigned URL. Use PUT, or a form with a signed policy."
            )
        }
        let asked = try SignatureLifetime.seconds(of: request.lifetime, for: "a presigned URL")
        var lifetime = asked
        var start = AmazonDate(date)
        if let quantum = request.quantum {
            let window = try SignatureLifetime.seconds(of: quantum, for: "the quantum of presigned URLs")
            // Signed as of the window's start, and longer by the window, so that it works as long as was asked for.
            start = start.floored(toMultipleOf: window)
            lifetime = try SignatureLifetime.seconds(of: lifetime, inWindowOf: window)
        }
        let overrides = try SigV4Signer.overrides(of: request)
        let headers = try SigV4Signer.signedHeaders(of: request)
        let parameters = request.query + overrides
        try SigV4Signer.checkNames(of: parameters)

        var fields = headers
        fields.append("host", try SigV4Signer.host(of: request.origin))
        let query = try signedQuery(
            SignableRequest(
                method: request.method.rawValue,
                path: request.path,
                query: parameters,
                headers: fields,
                payload: .unsigned
            ),
            lifetime: lifetime,
            with: credentials,
            at: start
        )
        let end = start.date.addingTimeInterval(Double(lifetime))
        let expiration = min(end, credentials.expiration ?? end)
        return PresignedURL(
            url: request.origin + request.path + "?" + query,
            method: request.method,
            expiration: expiration,
            isCutShort: expiration < AmazonDate(date).date.addingTimeInterval(Double(asked)),
            headers: headers
        )
    }

    /// Returns the whole query of a request that is signed in its query, the signature at its end.
    func signedQuery(
        _ request: SignableRequest,
        lifetime: Int,
        with credentials: S3Credentials,
        at date: AmazonDate
    ) throws -> String {
        let scope = Scope(date, self)
        // A length that was asked for is signed: it holds the user of the URL to that size.
        let headers = try CanonicalHeaders(request.headers.fields, adding: [], signsContentLength: true)
        var parameters = request.query
        parameters.reserveCapacity(parameters.count + 6)
        parameters.append(("X-Amz-Algorithm", SigV4Signer.algorithm))
        parameters.append(("X-Amz-Credential", credentials.accessKeyID + "/" + scope.text))
        parameters.append(("X-Amz-Date", scope.timestamp))
        parameters.append(("X-Amz-Expires", String(lifetime)))
        parameters.append(("X-Amz-SignedHeaders", String(decoding: headers.names, as: UTF8.self)))
        let token = credentials.sessionToken.map { (name: "X-Amz-Security-Token", value: $0) }
        if let token, !options.addsTokenAfterSigning { parameters.append(token) }

        var query = CanonicalQuery(parameters).bytes
        let canonical = canonicalRequest(
            method: request.method,
            path: request.path,
            query: query,
            headers: headers,
            payload: request.payload
        )
        let signature = try signature(of: canonical, scope: scope, secret: credentials.secretAccessKey)
        if let token, options.addsTokenAfterSigning {
            query.append(UInt8(ascii: "&"))
            query.append(contentsOf: CanonicalQuery([token]).bytes)
        }
        query.append(contentsOf: "&X-Amz-Signature=".utf8)
        query.append(contentsOf: signature.utf8)
        return String(decoding: query, as: UTF8.self)
    }

    // MARK: Checks

    /// The names in a query that belong to the signature; a parameter of the same name would contradict it.
    private static let reservedNames: Set<String> = [
        "x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-expires", "x-amz-signedheaders",
        "x-amz-security-token", "x-amz-signature", "x-amz-s3session-token", "x-amz-content-sha256",
    ]

    private static func checkNames(of parameters: [(name: String, value: String)]) throws {
        for (index, parameter) in parameters.enumerated() {
            guard !reservedNames.contains(parameter.name.lowercased()) else {
                throw StorageError(
                    .invalidURL,
                    "The parameter \(StorageError.quoted(parameter.name)) is of the signature itself. Leave it out."
                )
            }
            guard !parameters[..<index].contains(where: { $0.name == parameter.name }) else {
                throw StorageError(
                    .invalidURL,
                    "The parameter \(StorageError.quoted(parameter.name)) is given twice, and S3 reads one. Give it "
                        + "once."
                )
            }
        }
    }

    private static func overrides(of request: PresignedURL.Request) throws -> [(name: String, value: String)] {
        let overrides = request.overrides.query
        let isRead = request.method == .get || request.method == .head
        guard overrides.isEmpty || isRead else {
            throw StorageError(
                .invalidURL,
                "Headers of the response can be overridden for GET and HEAD only, not for \(request.method.rawValue). "
                    + "Leave them out."
            )
        }
        for (name, value) in overrides { try HeaderValidation.checkValue(value, of: name) }
        return overrides
    }

    private static func signedHeaders(of request: PresignedURL.Request) throws -> HTTPHeaders {
        guard !request.headers.fields.isEmpty else { return request.headers }
        let headers = try HeaderValidation.check(request.headers).headers
        for field in headers.fields {
            guard !reservedNames.contains(field.name.lowercased()) else {
                throw StorageError(
                    .invalidURL,
                    "The header \(StorageError.quoted(field.name)) is of the signature itself. Leave it out."
                )
            }
            // A header that is not signed binds no client, and Host is made of the origin.
            guard CanonicalHeaders.isSigned(field.name, true), !HTTPHeaders.areEqual(field.name, "host") else {
                throw StorageError(
                    .invalidURL,
                    "The header \(StorageError.quoted(field.name)) cannot be a part of a presigned URL. Leave it out."
                )
            }
        }
        return headers
    }

    /// Returns the authority of an origin.
    private static func host(of origin: String) throws -> String {
        let authority = origin.utf8.drop { $0 != UInt8(ascii: ":") }.dropFirst(3)
        guard origin.utf8.starts(with: "http".utf8), !authority.isEmpty, !authority.contains(UInt8(ascii: "/")) else {
            throw StorageError(
                .invalidURL,
                "\(StorageError.quoted(origin)) is no origin of a URL. Give a scheme and a host, without a path."
            )
        }
        return String(Substring(authority))
    }
}
