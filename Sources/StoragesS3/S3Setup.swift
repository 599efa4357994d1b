import Foundation
import Logging
import Storages

/// What a storage is asked to be, on its way to what it is made of.
struct S3Setup {
    var bucketName: String
    var endpointURL: String?
    /// The same as a URL with its scheme, which then counts instead of `useSSL`.
    var serverURL: String?
    var accessKeyID: String?
    var secretAccessKey: String?
    var region: String?
    var useSSL: Bool
    var defaultACL: S3CannedACL?
    var customDomain: String?
    var querystringAuth: Bool
    var options: S3Options
    /// What the profile says, when it was read.
    var profile: ProfileSettings?
    var environment = EnvironmentVariables.process

    struct Parts {
        var client: S3Client
        var integrity: IntegrityPolicy
        var urls: S3URLs
    }

    /// Checks everything and puts it together.
    ///
    /// - Throws: ``StorageError`` with code `invalidConfiguration` that names the option.
    func parts(transport given: (any HTTPTransport)? = nil) throws -> Parts {
        try checkNumbers()
        let (scheme, endpoint) = try server()
        let profile = try EndpointProfile.resolve(options.server, host: endpoint?.host)
        let region = try Region.resolve(
            option: region,
            environment: environment.all,
            profile: self.profile?.region,
            endpoint: endpoint,
            service: profile
        )
        let addressing = try Addressing(
            AddressingOptions(
                bucket: bucketName,
                endpoint: endpoint,
                region: region,
                scheme: scheme,
                style: try addressingStyle(),
                usesDualStack: options.usesDualStack || profileVariant(\.usesDualStack),
                usesAcceleration: options.usesAccelerate || profileVariant(\.usesAccelerate),
                usesFIPS: options.usesFIPS,
                requiresVirtualHost: profile.requiresVirtualHost
            )
        )
        try options.objectParameters.validate(isSecure: scheme == .https, options.metadataEncoding)
        let transport = try given ?? self.transport(profile)
        let credentials = try self.credentials(region.name, transport)
        let client = S3Client(
            addressing,
            profile: profile,
            credentials: credentials,
            transport: transport,
            settings: try clientSettings(),
            logger: options.logger
        )
        return Parts(
            client: client,
            integrity: IntegrityPolicy(options.integrity, profile: profile, environment: environment.all),
            urls: try S3URLs(self, scheme)
        )
    }

    // MARK: Parts

    /// Scheme and host, of the option or the environment.
    private func server() throws -> (URLScheme, EndpointAddress?) {
        let scheme: URLScheme = useSSL ? .https : .http
        if let endpointURL {
            return (scheme, try EndpointAddress(endpointURL, option: "endpointURL"))
        }
        if let (url, option) = self.url {
            let (scheme, address) = try EndpointAddress.parse(url: url, option: option)
            return (scheme, address)
        }
        return (scheme, nil)
    }

    /// Where the server is when its URL is given, and who says so.
    private var url: (url: String, option: String)? {
        if let serverURL { return (serverURL, "serverURL") }
        for variable in S3Setup.endpointVariables {
            if let url = environment[variable] { return (url, variable) }
        }
        return profile?.endpointURL.map { ($0, "endpoint_url of the profile") }
    }

    private static let endpointVariables = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"]

    /// Where the bucket stands: by the option, else by the profile.
    private func addressingStyle() throws -> S3AddressingStyle {
        guard options.addressingStyle == .auto, let text = profile?.addressingStyle else {
            return options.addressingStyle
        }
        guard let style = S3AddressingStyle(rawValue: text.lowercased()) else {
            throw StorageError(
                .invalidConfiguration,
                "The addressing_style of the profile is \(StorageError.quoted(text)). Write auto, path or virtual."
            )
        }
        return style
    }

    /// What the profile says about Amazon's endpoints, which does not count for another server that was given over it.
    private func profileVariant(_ key: KeyPath<ProfileSettings, Bool?>) -> Bool {
        let isOverridden =
            endpointURL != nil || serverURL != nil || S3Setup.endpointVariables.contains { environment[$0] != nil }
        return !isOverridden && profile?[keyPath: key] == true
    }

    private func transport(_ profile: EndpointProfile) throws -> any HTTPTransport {
        var settings = CurlSettings()
        settings.certificateAuthorityFile =
            options.tls.certificateAuthorityFile ?? environment["AWS_CA_BUNDLE"] ?? self.profile?.certificateBundle
        settings.verifiesCertificates = options.tls.verifiesCertificates
        settings.clientCertificateFile = options.tls.clientCertificateFile
        settings.clientKeyFile = options.tls.clientKeyFile
        settings.proxy = options.proxy
        settings.noProxy = options.noProxy
        settings.connectTimeout = options.connectTimeout
        settings.idleConnectionAge = options.idleConnectionAge ?? profile.maxConnectionAge
        if !settings.verifiesCertificates {
            options.logger.warning(
                "The certificate of the S3 server is not checked: anybody on the way can read and change files.",
                metadata: ["bucket": "\(bucketName)"]
            )
        }
        do {
            return try CurlTransport(settings, concurrency: options.maxConnections)
        } catch let failure as HTTPFailure {
            throw StorageError(.unavailable, failure.message, underlying: failure)
        }
    }

    private func credentials(_ region: String, _ transport: any HTTPTransport) throws -> CredentialCache? {
        if options.isAnonymous {
            guard accessKeyID == nil, secretAccessKey == nil, options.credentialProvider == nil else {
                throw StorageError(
                    .invalidConfiguration,
                    "The option isAnonymous goes without keys. Leave one of them out."
                )
            }
            return nil
        }
        if let provider = options.credentialProvider {
            guard accessKeyID == nil, secretAccessKey == nil else {
                throw StorageError(
                    .invalidConfiguration,
                    "There are keys and a credentialProvider. Leave one of them out."
                )
            }
            return CredentialCache(provider, logger: options.logger)
        }
        var context = CredentialContext(
            environment: environment,
            transport: transport,
            sign: { request, credentials, region, service, date in
                var options = SigV4Signer.Options()
                options.addsContentSHA256 = false
                return try SigV4Signer(region: region, service: service, options: options)
                    .headers(signing: request, with: credentials, at: date)
            }
        )
        context.region = self.region
        let provider = try CredentialChain.provider(
            accessKeyID: accessKeyID,
            secretAccessKey: secretAccessKey,
            sessionToken: options.sessionToken,
            profile: options.profile,
            in: context
        )
        return CredentialCache(provider, logger: options.logger)
    }

    private func clientSettings() throws -> S3Client.Settings {
        var settings = S3Client.Settings()
        settings.retries = options.retries
        if let attempts = environment["AWS_MAX_ATTEMPTS"].flatMap({ Int($0) }), options.retries == S3Retries() {
            settings.retries.maxAttempts = max(1, attempts)
        }
        settings.payloadSigning = options.payloadSigning
        if options.payloadSigning == .auto, let signs = profile?.signsPayload {
            settings.payloadSigning = signs ? .always : .never
        }
        settings.stallTimeout = options.stallTimeout
        var headers = HTTPHeaders()
        for (name, value) in options.defaultHeaders.sorted(by: { $0.key < $1.key }) { headers.append(name, value) }
        if headers["User-Agent"] == nil { headers.append("User-Agent", options.userAgent) }
        settings.headers = try HeaderValidation.check(headers).headers
        return settings
    }

    // MARK: Checks

    private func checkNumbers() throws {
        func check(_ option: String, _ isGood: Bool, _ remedy: String) throws {
            guard !isGood else { return }
            throw StorageError(.invalidConfiguration, "The option \(option) makes no sense. \(remedy)")
        }
        let transfers = options.transfers
        try check("retries.maxAttempts", options.retries.maxAttempts >= 1, "Give 1 or more.")
        try check("maxConnections", options.maxConnections >= 1, "Give 1 or more.")
        try check("transfers.uploadConcurrency", transfers.uploadConcurrency >= 1, "Give 1 or more.")
        try check("transfers.downloadConcurrency", transfers.downloadConcurrency >= 1, "Give 1 or more.")
        let parts: ClosedRange<Int64> = (5 << 20)...(1 << 30)
        try check("transfers.partSize", parts.contains(transfers.partSize), "Give 5 MiB to 1 GiB.")
        try check(
            "transfers.partSizeOfUnknownLength",
            parts.contains(transfers.partSizeOfUnknownLength),
            "Give 5 MiB to 1 GiB."
        )
        try check(
            "transfers.multipartThreshold",
            (0...(1 << 30)).contains(transfers.multipartThreshold),
            "Give 0 to 1 GiB: what is not sent in parts is held in memory."
        )
        try check("transfers.rangeSize", transfers.rangeSize >= 1 << 20, "Give 1 MiB or more.")
        try check("transfers.memoryBudget", transfers.memoryBudget >= 1 << 20, "Give 1 MiB or more.")
    }
}
