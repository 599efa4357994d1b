import Foundation
import Storages
import StoragesHTTP

extension S3ObjectParameters {
    /// A Boolean value that indicates whether S3 refuses an upload without a checksum of its bytes.
    var requiresChecksum: Bool { objectLock != nil || hasLegalHold != nil }

    /// Refuses parameters that no server accepts, before anything is sent.
    ///
    /// - Parameters:
    ///   - isSecure: Whether requests go over TLS.
    ///   - encoding: The encoding of values of metadata. Default: as they are.
    /// - Throws: ``StorageError`` with code `invalidConfiguration`.
    func validate(isSecure: Bool, _ encoding: S3MetadataEncoding = .ascii) throws(StorageError) {
        try S3ObjectParameters.refuse(encryption?.customerKey, isSecure: isSecure)
        if acl != nil, grants != nil {
            throw StorageError(
                .invalidConfiguration,
                "An object has an acl or grants, not both. Leave one of them out."
            )
        }
        _ = try UserMetadata(encoding: encoding).headers(metadata)
        let texts = [
            ("contentDisposition", contentDisposition), ("cacheControl", cacheControl), ("contentType", contentType),
            ("contentEncoding", contentEncoding), ("contentLanguage", contentLanguage),
            ("websiteRedirectLocation", websiteRedirectLocation),
        ]
        for case (let name, let text?) in texts where !text.utf8.allSatisfy({ $0 < 0x80 }) {
            // As in metadata.
            throw StorageError(
                .invalidConfiguration,
                "The parameter \(name) is not ASCII. Encode it; ContentDisposition.attachment(filename:) does that "
                    + "for names."
            )
        }
    }

    // MARK: Requests

    /// Returns the headers of PutObject and CreateMultipartUpload.
    ///
    /// - Parameters:
    ///   - isSecure: Whether requests go over TLS.
    ///   - encoding: The encoding of values of metadata. Default: as they are.
    func creationHeaders(isSecure: Bool, _ encoding: S3MetadataEncoding = .ascii) throws -> HTTPHeaders {
        try validate(isSecure: isSecure, encoding)
        var headers = try descriptionHeaders(encoding)
        if !tags.isEmpty { headers["x-amz-tagging"] = tagging }
        headers.append(contentsOf: try placementHeaders)
        headers.append(contentsOf: accountHeaders)
        return headers
    }

    /// Returns the headers of CopyObject, but for `x-amz-copy-source` and those that describe the copy.
    ///
    /// - Parameters:
    ///   - isSecure: Whether requests go over TLS.
    ///   - sourceKey: The key that the source is encrypted with.
    func copyHeaders(isSecure: Bool, sourceKey: S3CustomerKey? = nil) throws -> HTTPHeaders {
        try withoutDescription.validate(isSecure: isSecure)
        try S3ObjectParameters.refuse(sourceKey, isSecure: isSecure)
        var headers = HTTPHeaders()
        if !tags.isEmpty {
            headers["x-amz-tagging-directive"] = "REPLACE"
            headers["x-amz-tagging"] = tagging
        }
        headers.append(contentsOf: try placementHeaders)
        if let sourceKey { headers.append(contentsOf: sourceKey.headers(isForSource: true)) }
        headers.append(contentsOf: accountHeaders)
        return headers
    }

    /// These parameters without those that a GET returns, which a copy has from its source.
    var withoutDescription: S3ObjectParameters {
        var parameters = self
        parameters.cacheControl = nil
        parameters.contentDisposition = nil
        parameters.contentEncoding = nil
        parameters.contentLanguage = nil
        parameters.contentType = nil
        parameters.expires = nil
        parameters.metadata = [:]
        return parameters
    }

    /// Returns the headers of UploadPart, CompleteMultipartUpload, GetObject and HeadObject.
    ///
    /// - Parameter isSecure: Whether requests go over TLS.
    func accessHeaders(isSecure: Bool) throws -> HTTPHeaders {
        let key = encryption?.customerKey
        try S3ObjectParameters.refuse(key, isSecure: isSecure)
        var headers = key?.headers() ?? [:]
        headers.append(contentsOf: accountHeaders)
        return headers
    }

    /// Returns the headers of UploadPartCopy, but for `x-amz-copy-source` and its range.
    ///
    /// - Parameters:
    ///   - isSecure: Whether requests go over TLS.
    ///   - sourceKey: The key that the source is encrypted with.
    func partCopyHeaders(isSecure: Bool, sourceKey: S3CustomerKey? = nil) throws -> HTTPHeaders {
        try S3ObjectParameters.refuse(sourceKey, isSecure: isSecure)
        var headers = try accessHeaders(isSecure: isSecure)
        if let sourceKey { headers.append(contentsOf: sourceKey.headers(isForSource: true)) }
        return headers
    }

    /// The headers of all other requests: deletions, listings, AbortMultipartUpload.
    var accountHeaders: HTTPHeaders {
        var headers = HTTPHeaders()
        if requesterPays { headers["x-amz-request-payer"] = "requester" }
        headers["x-amz-expected-bucket-owner"] = expectedBucketOwner
        return headers
    }

    // MARK: Parts

    /// Returns the headers that a GET returns, too.
    private func descriptionHeaders(_ encoding: S3MetadataEncoding) throws -> HTTPHeaders {
        var headers = HTTPHeaders()
        headers["Cache-Control"] = cacheControl
        headers["Content-Disposition"] = contentDisposition
        headers["Content-Encoding"] = contentEncoding
        headers["Content-Language"] = contentLanguage
        headers["Content-Type"] = contentType
        if let expires {
            headers["Expires"] = try S3ObjectParameters.format(HTTPDate.string(from: expires), "expires")
        }
        headers.append(contentsOf: try UserMetadata(encoding: encoding).headers(metadata))
        return headers
    }

    /// The headers about the storage and the permissions of the object.
    private var placementHeaders: HTTPHeaders {
        get throws {
            var headers = HTTPHeaders()
            headers["x-amz-storage-class"] = storageClass?.rawValue
            headers["x-amz-website-redirect-location"] = websiteRedirectLocation
            headers["x-amz-object-lock-mode"] = objectLock?.mode.rawValue
            if let objectLock {
                let date = ISO8601Timestamp.string(from: objectLock.retainUntil)
                headers["x-amz-object-lock-retain-until-date"] = try S3ObjectParameters.format(date, "objectLock")
            }
            headers["x-amz-object-lock-legal-hold"] = hasLegalHold.map { $0 ? "ON" : "OFF" }
            headers["x-amz-acl"] = acl?.rawValue
            if let grants { headers.append(contentsOf: grants.headers) }
            if let encryption { headers.append(contentsOf: try encryption.headers) }
            return headers
        }
    }

    private var tagging: String {
        tags.sorted { $0.key < $1.key }
            .map { PercentEncoding.encode(component: $0.key) + "=" + PercentEncoding.encode(component: $0.value) }
            .joined(separator: "&")
    }

    private static func format(_ date: String?, _ parameter: String) throws(StorageError) -> String {
        guard let date else {
            throw StorageError(.invalidConfiguration, "The date in \(parameter) is not in the years 1 to 9999.")
        }
        return date
    }

    private static func refuse(_ key: S3CustomerKey?, isSecure: Bool) throws(StorageError) {
        guard key != nil, !isSecure else { return }
        throw StorageError(
            .invalidConfiguration,
            "A customer key would go over the wire as it is, since useSSL is false. Use TLS, or another encryption."
        )
    }
}
