import Foundation
import Storages

/// Makes the URLs under which others fetch files.
struct S3URLs: Sendable {
    private let domain: CustomDomain?
    private let published: (endpoint: EndpointAddress, scheme: URLScheme)?
    private let cloudFront: CloudFrontSigner?
    private let customDomainSigns: Bool
    private let signsByDefault: Bool
    private let lifetime: Duration
    private let quantum: Duration?

    init(_ setup: S3Setup, _ scheme: URLScheme) throws {
        let options = setup.options
        domain = try setup.customDomain.map { text in
            let (scheme, rest) = S3URLs.split(text, scheme)
            return try CustomDomain(rest, scheme: scheme)
        }
        published = try options.publicEndpointURL.map { text in
            let (scheme, rest) = S3URLs.split(text, scheme)
            return (try EndpointAddress(rest, option: "publicEndpointURL"), scheme)
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

    /// Takes the scheme off; without one, others come the way requests go.
    private static func split(_ text: String, _ scheme: URLScheme) -> (URLScheme, String) {
        guard let end = text.firstRange(of: "://"),
            let own = URLScheme(rawValue: text[..<end.lowerBound].lowercased())
        else { return (scheme, text) }
        return (own, String(text[end.upperBound...]))
    }

    /// The address that others use.
    func addressing(_ client: S3Client) throws -> Addressing {
        let own = client.addressing
        guard let published else { return own }
        return try own.published(at: published.endpoint, scheme: published.scheme)
    }

    /// The URL of a file: at the custom domain, signed, or plain, in this order.
    func url(for name: StorageName, _ options: URLOptions, _ client: S3Client) async throws -> String {
        let overrides = PresignedURL.ResponseOverrides(
            contentDisposition: options.contentDisposition,
            contentType: options.contentType?.rawValue
        )
        let isSigned = signsByDefault || options.lifetime != nil || options.quantum != nil || !overrides.query.isEmpty
        if let domain, cloudFront != nil || !isSigned || !customDomainSigns {
            return try url(at: domain, name, options, overrides)
        }
        guard isSigned else { return try addressing(client).url(forKey: name.string) }
        let credentials = try await client.currentCredentials()
        let (origin, path, region) = try place(of: name, client)
        return try SigV4Signer(region: region.name).presignedURL(
            PresignedURL.Request(
                method: .get,
                origin: origin,
                path: path,
                lifetime: options.lifetime ?? lifetime,
                quantum: options.quantum ?? quantum,
                overrides: overrides
            ),
            with: credentials,
            at: client.clock.now
        ).url
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
        _ name: StorageName,
        _ options: URLOptions,
        _ overrides: PresignedURL.ResponseOverrides
    ) throws -> String {
        var url = domain.url(forKey: name.string)
        if !overrides.query.isEmpty {
            guard cloudFront != nil else {
                throw StorageError(
                    .unsupported,
                    "URLs at the customDomain are not signed, so the answer's headers cannot be overridden. Use the options "
                        + "cloudFront or customDomainSigns."
                )
            }
            url += "?" + S3PathEncoding.query(overrides.query)
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
        let seconds = try SignatureLifetime.seconds(of: options.lifetime ?? lifetime, for: "a URL")
        var start = AmazonDate(Date())
        var length = seconds
        if let quantum = options.quantum ?? quantum {
            let window = try SignatureLifetime.seconds(of: quantum, for: "the quantum of URLs")
            start = start.floored(toMultipleOf: window)
            length += window
        }
        return try cloudFront.signedURL(
            url,
            policy: CloudFrontPolicy(until: start.date.addingTimeInterval(Double(length)))
        )
    }
}
