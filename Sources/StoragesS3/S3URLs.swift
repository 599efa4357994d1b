import Foundation
import Storages
import StoragesHTTP

/// Makes the URLs under which others fetch files.
struct S3URLs: Sendable {
    private let domain: CustomDomain?
    private let published: (scheme: URLScheme, address: EndpointAddress)?
    private let cloudFront: CloudFrontSigner?
    private let customDomainSigns: Bool
    private let signsByDefault: Bool
    private let lifetime: Duration
    private let quantum: Duration?

    init(_ setup: S3Setup, _ scheme: URLScheme) throws {
        let options = setup.options
        domain = try setup.customDomain.map { text in
            // Without a scheme, others come the way requests go.
            let (scheme, rest) = URLScheme.split(text) ?? (scheme, text[...])
            return try CustomDomain(String(rest), scheme: scheme)
        }
        published = try options.publicEndpointURL.map { text in
            try EndpointAddress.parse(url: text, option: "publicEndpointURL", defaultScheme: scheme)
        }
        cloudFront = try options.cloudFront.map { try CloudFrontSigner(keyID: $0.keyID, privateKey: $0.privateKey) }
        if cloudFront != nil, domain == nil {
            throw StorageError(
                .invalidConfiguration,
                "The option cloudFront signs URLs at the customDomain, and there is none. Give it."
            )
        }
        customDomainSigns = options.customDomainSigns
        signsByDefault = setup.querystringAuth
        _ = try SignatureLifetime.seconds(of: options.urlLifetime, for: "URLs")
        if let quantum = options.urlQuantum {
            _ = try SignatureLifetime.seconds(of: quantum, for: "the quantum of URLs")
        }
        lifetime = options.urlLifetime
        quantum = options.urlQuantum
    }

    /// Returns the address that others use.
    func addressing(_ client: S3Client) throws -> Addressing {
        let own = client.addressing
        guard let published else { return own }
        return try own.published(at: published.address, scheme: published.scheme)
    }

    /// Returns the URL of a file: at the custom domain, signed, or plain, in this order.
    func url(for name: StorageName, _ options: URLOptions, _ storage: S3Storage) async throws -> String {
        var overrides = S3ResponseOverrides()
        overrides.contentDisposition = options.contentDisposition
        overrides.contentType = options.contentType?.rawValue
        let isSigned = signsByDefault || options.lifetime != nil || options.quantum != nil || !overrides.query.isEmpty
        if let domain, cloudFront != nil || !isSigned || !customDomainSigns {
            return try url(at: domain, for: name, overrides: overrides, options, now: storage.client.clock.now)
        }
        guard isSigned else { return try addressing(storage.client).url(forKey: name.string) }
        return try await presigned(SignedAccess(name: name, overrides: overrides, options: options), storage).url
    }

    /// The request that a signed URL allows.
    struct SignedAccess {
        var method = HTTPRequest.Method.get
        var name: StorageName
        /// The version of the file; `nil` for the current one.
        var version: String?
        /// The headers of the response in the place of those that are stored.
        var overrides: S3ResponseOverrides
        var options: URLOptions
    }

    /// Returns a signed URL at the endpoint, or at a custom domain that passes the signature on.
    func presigned(_ access: SignedAccess, _ storage: S3Storage) async throws -> PresignedURL {
        let parameters = storage.parameters(for: access.name)
        guard access.method == .delete || parameters.encryption?.customerKey == nil else {
            throw StorageError(
                .unsupported,
                "A client would need the customer's key to use the URL, and send it. Read the file through the storage."
            )
        }
        let credentials = try await storage.client.currentCredentials()
        let (origin, path, region) = try place(of: access.name, storage.client)
        var request = PresignedURL.Request(
            method: access.method,
            origin: origin,
            path: path,
            lifetime: access.options.lifetime ?? lifetime,
            quantum: access.options.quantum ?? quantum,
            overrides: access.overrides
        )
        if let version = access.version { request.query.append(("versionId", version)) }
        if parameters.requesterPays { request.query.append(("x-amz-request-payer", "requester")) }
        let signed = try SigV4Signer(region: region.name)
            .presignedURL(request, with: credentials, at: storage.client.clock.now)
        if signed.isCutShort { storage.warnOfShortSignature(until: signed.expiration) }
        return signed
    }

    private func place(of name: StorageName, _ client: S3Client) throws -> (String, String, Region) {
        let addressing = try addressing(client)
        if let domain, customDomainSigns {
            return ("\(domain.scheme.rawValue)://\(domain.host)", domain.path(forKey: name.string), addressing.region)
        }
        return (addressing.origin, addressing.path(forKey: name.string), addressing.region)
    }

    private func url(
        at domain: CustomDomain,
        for name: StorageName,
        overrides: S3ResponseOverrides,
        _ options: URLOptions,
        now: Date
    ) throws -> String {
        var url = domain.url(forKey: name.string)
        if !overrides.query.isEmpty {
            guard cloudFront != nil else {
                throw StorageError(
                    .unsupported,
                    "URLs at the customDomain are not signed, so the headers of the response cannot be overridden. "
                        + "Use the options cloudFront or customDomainSigns."
                )
            }
            url += "?" + CanonicalQuery(overrides.query).text
        }
        guard let cloudFront else {
            guard options.lifetime == nil, options.quantum == nil else {
                throw StorageError(
                    .unsupported,
                    "URLs at the customDomain are not signed, so they have no lifetime. Use the options cloudFront or "
                        + "customDomainSigns."
                )
            }
            return url
        }
        let length = try SignatureLifetime.seconds(of: options.lifetime ?? lifetime, for: "a URL")
        var end = AmazonDate(now).date.addingTimeInterval(Double(length))
        if let quantum = options.quantum ?? quantum {
            let window = try SignatureLifetime.seconds(of: quantum, for: "the quantum of URLs")
            let start = AmazonDate(now).floored(toMultipleOf: window)
            end = start.date.addingTimeInterval(Double(length + window))
        }
        return try cloudFront.signedURL(url, policy: CloudFrontPolicy(until: end))
    }

    /// Returns a URL at the custom domain, signed for CloudFront with a policy of its own.
    func cloudFrontURL(for name: StorageName, _ policy: CloudFrontPolicy) throws -> String {
        guard let domain, let cloudFront else {
            throw StorageError(
                .unsupported,
                "Nothing signs URLs for Amazon CloudFront. Give the options cloudFront and customDomain."
            )
        }
        return try cloudFront.signedURL(domain.url(forKey: name.string), policy: policy)
    }
}
