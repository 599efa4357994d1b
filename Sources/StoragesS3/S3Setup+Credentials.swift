import Logging
import Storages
import StoragesHTTP

extension S3Setup {
    /// Returns the cache of the credentials; `nil` for anonymous access.
    ///
    /// - Parameters:
    ///   - addressing: The address of the bucket.
    ///   - given: The transport of a test. Default: one of its own, see ``credentialConnections()``.
    func credentials(
        for addressing: Addressing,
        transport given: (any HTTPTransport)?
    ) throws -> CredentialCache<S3Credentials>? {
        if options.isAnonymous {
            try refuseKeys("isAnonymous goes without keys", options.credentialProvider == nil)
            guard options.assumedRole == nil else {
                throw StorageError(
                    .invalidConfiguration,
                    "The options isAnonymous and assumedRole do not go together. Leave one of them out."
                )
            }
            return nil
        }
        let context = try credentialContext(addressing, given)
        let source: any S3CredentialProvider
        if let provider = options.credentialProvider {
            try refuseKeys("credentialProvider takes the place of keys")
            source = provider
        } else {
            source = try CredentialChain.provider(
                accessKeyID: accessKeyID,
                secretAccessKey: secretAccessKey,
                sessionToken: options.sessionToken,
                profile: options.profile,
                loadsProfiles: options.loadsProfiles,
                in: context
            )
        }
        guard let role = options.assumedRole else { return CredentialCache(source, logger: options.logger) }
        let provider = AssumeRoleProvider(
            context: context,
            role: try AssumedRole(role),
            source: source,
            sourceName: options.credentialProvider == nil ? "the storage" : "the credentialProvider",
            profile: profile
        )
        return CredentialCache(provider, logger: options.logger)
    }

    private func refuseKeys(_ rule: String, _ isAlone: Bool = true) throws {
        guard accessKeyID == nil, secretAccessKey == nil, isAlone else {
            throw StorageError(.invalidConfiguration, "The option \(rule). Leave one of them out.")
        }
    }

    private func credentialContext(
        _ addressing: Addressing,
        _ given: (any HTTPTransport)?
    ) throws -> CredentialContext {
        var context = CredentialContext(
            environment: environment,
            transport: try given ?? Self.makeTransport(credentialConnections(), concurrency: 4),
            sign: { request, credentials, region, service, date in
                var options = SigV4Signer.Options()
                options.addsContentSHA256 = false
                return try SigV4Signer(region: region, service: service, options: options)
                    .headers(signing: request, with: credentials, at: date)
            }
        )
        context.region = try region.map { try Region($0, from: "the option region") }
        // The region of another server may be none that Amazon has.
        if addressing.isAWS || profile?.region != nil { context.storageRegion = addressing.region }
        context.stsEndpointURL = options.stsEndpointURL
        context.instanceMetadata = options.instanceMetadata
        return context
    }

    // MARK: Connections

    /// Returns the transport that sends requests to S3.
    func transport(_ server: EndpointProfile) throws -> any HTTPTransport {
        if !options.tls.verifiesCertificates {
            options.logger.warning(
                "The certificate of the S3 server is not checked: anybody on the way can read and change files.",
                metadata: ["bucket": "\(bucketName)"]
            )
        }
        return try Self.makeTransport(connections(server), concurrency: options.maxConnections)
    }

    private static func makeTransport(_ settings: CurlSettings, concurrency: Int) throws -> any HTTPTransport {
        do {
            return try CurlTransport(settings, concurrency: concurrency)
        } catch let failure as HTTPFailure {
            throw StorageError(.unavailable, failure.message, underlying: failure)
        }
    }

    /// Returns the settings for connections to S3.
    func connections(_ server: EndpointProfile) -> CurlSettings {
        var settings = credentialConnections()
        if let file = options.tls.certificateAuthorityFile { settings.certificateAuthorityFile = file }
        settings.verifiesCertificates = options.tls.verifiesCertificates
        settings.clientCertificateFile = options.tls.clientCertificateFile
        settings.clientKeyFile = options.tls.clientKeyFile
        settings.idleConnectionAge = options.idleConnectionAge ?? server.maxConnectionAge
        return settings
    }

    /// Returns the settings for connections to STS and to other services that issue credentials.
    ///
    /// The options about the certificates of the S3 server are not for them: a storage whose server is not checked must
    /// not take its credentials from anybody, and a server's own authority vouches for that server.
    func credentialConnections() -> CurlSettings {
        var settings = CurlSettings()
        settings.certificateAuthorityFile = environment["AWS_CA_BUNDLE"] ?? profile?.certificateBundle
        settings.proxy = options.proxy
        settings.noProxy = options.noProxy
        settings.proxyCertificateAuthorityFile = options.tls.proxyCertificateAuthorityFile
        settings.connectTimeout = options.connectTimeout
        return settings
    }
}
