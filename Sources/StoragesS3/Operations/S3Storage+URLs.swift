public import Foundation
import Logging
public import Storages
import StoragesHTTP

extension S3Storage {
    /// A URL under which the file can be fetched: at the custom domain, signed, or plain, in this order.
    ///
    /// Nothing is sent, unless credentials have to be fetched.
    ///
    /// - Parameters:
    ///   - name: The file.
    ///   - options: A lifetime, or overrides of the response's headers, make it a signed one.
    /// - Returns: The URL, percent-encoded.
    /// - Throws: ``StorageError`` with code ``StorageError/Code/invalidURL`` for a lifetime outside 1 second to 7 days,
    ///   and one that exceeds them with its quantum; ``StorageError/Code/unsupported`` for what cannot be had at the
    ///   custom domain, with anonymous access, or with a customer key.
    public func url(for name: StorageName, options: URLOptions) async throws -> String {
        try name.requireSafe(in: label)
        return try await reporting(name) { try await urls.url(for: name, options, self) }
    }

    /// Returns a presigned URL that reads or deletes a file, and the date on which it expires.
    ///
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html>
    ///
    /// It is at ``S3Options/publicEndpointURL`` if there is one, or at a custom domain that passes signatures on; for
    /// uploads there is ``directUpload(to:byteCount:options:)``. Nothing is sent, unless credentials have to be
    /// fetched.
    ///
    /// - Parameters:
    ///   - name: The file.
    ///   - method: The method of the request. Default: GET, which reads the file.
    ///   - version: The id of the version, in a bucket that keeps versions. Default: the current one.
    ///   - overrides: Headers of the response in the place of those that are stored; for reading only. Default:
    ///     nothing.
    ///   - options: Lifetime and quantum; a disposition and a type given here count like those of the overrides.
    /// - Returns: The URL and its end, which is that of the credentials when they end before.
    /// - Throws: As ``url(for:options:)``; ``StorageError/Code/invalidURL`` also for overrides of a deletion.
    public func signedURL(
        for name: StorageName,
        method: S3SignedURL.Method = .get,
        version: String? = nil,
        overrides: S3ResponseOverrides = S3ResponseOverrides(),
        options: URLOptions = URLOptions()
    ) async throws -> S3SignedURL {
        try name.requireSafe(in: label)
        return try await reporting(name) {
            var overrides = overrides
            overrides.contentDisposition = options.contentDisposition ?? overrides.contentDisposition
            overrides.contentType = options.contentType?.rawValue ?? overrides.contentType
            let request: HTTPRequest.Method =
                switch method {
                case .get: .get
                case .head: .head
                case .delete: .delete
                }
            let access = S3URLs.SignedAccess(
                method: request,
                name: name,
                version: version,
                overrides: overrides,
                options: options
            )
            let signed = try await urls.presigned(access, self)
            return S3SignedURL(url: signed.url, method: method, expiration: signed.expiration)
        }
    }

    /// A URL at the custom domain that Amazon CloudFront lets through under conditions of its own.
    ///
    /// - Parameters:
    ///   - name: The file.
    ///   - end: The end, to the second.
    ///   - start: The beginning. Default: at once.
    ///   - addresses: The IPv4 address of the clients, or a range such as `192.0.2.0/24`. Default: any.
    /// - Returns: The URL, a secret until it ends.
    /// - Throws: ``StorageError`` with code ``StorageError/Code/unsupported`` without ``S3Options/cloudFront``.
    public func cloudFrontURL(
        for name: StorageName,
        until end: Date,
        from start: Date? = nil,
        addresses: String? = nil
    ) throws -> String {
        try name.requireSafe(in: label)
        return try urls.cloudFrontURL(for: name, CloudFrontPolicy(until: end, from: start, ipAddress: addresses))
    }

    /// Logs a warning that a URL or form expires earlier than asked for.
    func warnOfShortSignature(until end: Date) {
        options.logger.warning(
            "A signed URL works shorter than asked for, because the credentials end; use credentials that last longer.",
            metadata: ["bucket": "\(bucketName)", "until": "\(AmazonDate(end).iso8601)"]
        )
    }
}
