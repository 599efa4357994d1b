public import Foundation

extension FileSystemStorage {
    /// A URL below the base URL, signed when there is a key; without a base URL the path of the file.
    ///
    /// Both are percent-encoded segment by segment (RFC 3986 section 2.1): all but letters, digits and `- . _ ~`.
    ///
    /// - Parameters:
    ///   - name: The file; whether it exists is not looked up.
    ///   - options: Lifetime (default: the storage's), quantum and overrides of headers, for signed URLs. The expiry is
    ///     rounded up to a second or to the quantum, so a URL works at least as long as it should.
    /// - Returns: The URL or path.
    /// - Throws: ``StorageError`` with code ``StorageError/Code/unsupported`` for any option without a signing key,
    ///   ``StorageError/Code/invalidURL`` for a lifetime that is not positive or longer than 100 years, and for a
    ///   disposition with a control character.
    public func url(for name: StorageName, options: URLOptions) async throws -> String {
        try url(for: name, options: options, now: Date())
    }

    /// Returns a URL as ``url(for:options:)`` does, at a moment of the caller's choice.
    func url(for name: StorageName, options: URLOptions, now: Date) throws -> String {
        try requireOwnName(name)
        return try urls.url(for: name, options: options, now: now)
    }

    /// Checks a URL that this storage has signed; for the handler that serves the files.
    ///
    /// ```swift
    /// let grant = try storage.verify(url: request.uri, method: request.method)
    /// let contents = try await storage.open(grant.name)
    /// ```
    ///
    /// The scheme and the host are not looked at, because proxies rewrite them; path, expiry and overrides are what was
    /// signed. The signature is compared in constant time, before the expiry is looked at.
    ///
    /// - Parameters:
    ///   - url: The absolute URL, or path and query as they stand in the request line.
    ///   - method: The request's method. `HEAD` is allowed where `GET` is. Default: `GET`.
    ///   - now: The moment to check the expiry for. Default: now.
    /// - Returns: The file's name, and what the URL says about the response.
    /// - Throws: ``StorageError`` with code ``StorageError/Code/expired`` when it was valid and is over,
    ///   ``StorageError/Code/invalidURL`` when it is malformed, was changed, or was signed with another key or for
    ///   another storage; ``StorageError/Code/unsupported`` when this storage has no signing key.
    public func verify(url: String, method: String = "GET", now: Date = Date()) throws -> VerifiedFileURL {
        try urls.verify(url, method: method, now: now)
    }

    /// Checks path and query that a server has taken apart already.
    ///
    /// - Parameters:
    ///   - path: The path as it stands in the request line, percent-encoded.
    ///   - query: The query without its `?`, percent-encoded.
    ///   - method: The request's method. Default: `GET`.
    ///   - now: The moment to check the expiry for. Default: now.
    /// - Returns: The file's name, and what the URL says about the response.
    /// - Throws: As ``verify(url:method:now:)``.
    public func verify(
        path: String,
        query: String,
        method: String = "GET",
        now: Date = Date()
    ) throws -> VerifiedFileURL {
        try urls.verify(path + "?" + query, method: method, now: now)
    }
}
