import Storages
import StoragesHTTP

/// The arguments of a storage's initialiser, from which its parts are made.
struct S3Setup: SecretHolding {
    var bucketName: String
    /// The URL of the server; its scheme, if it has one, counts instead of ``useSSL``.
    var endpointURL: String?
    var accessKeyID: String?
    var secretAccessKey: String?
    var region: String?
    var useSSL = true
    var defaultACL: S3CannedACL?
    var customDomain: String?
    var querystringAuth = false
    var options: S3Options
    /// The settings of the profile, when it was read.
    var profile: ProfileSettings?
    var environment = EnvironmentVariables.process

    struct Parts {
        var client: S3Client
        var integrity: IntegrityPolicy
        var urls: S3URLs
    }

    /// Checks all settings and makes the parts of a storage.
    ///
    /// - Throws: ``StorageError`` with code `invalidConfiguration` that names the option.
    func parts(transport given: (any HTTPTransport)? = nil) throws -> Parts {
        try checkNumbers()
        try checkDurations()
        try checkServiceURLs()
        let (scheme, endpoint) = try server()
        let profile = try EndpointProfile.resolve(options.server, host: endpoint?.host)
        let region = try Region.resolve(
            option: region,
            environment: environment.all,
            profile: self.profile?.region,
            endpoint: endpoint,
            service: profile
        )
        let usesDualStack = try options.usesDualStack || variant(\.usesDualStack, "AWS_USE_DUALSTACK_ENDPOINT")
        let usesAcceleration = try options.usesAccelerate || variant(\.usesAccelerate)
        let usesFIPS = try options.usesFIPS || variant(\.usesFIPS, "AWS_USE_FIPS_ENDPOINT")
        let addressing = try Addressing(
            AddressingOptions(
                bucket: bucketName,
                endpoint: endpoint,
                region: region,
                scheme: scheme,
                style: try addressingStyle(),
                usesDualStack: usesDualStack,
                usesAcceleration: usesAcceleration,
                usesFIPS: usesFIPS,
                requiresVirtualHost: profile.requiresVirtualHost
            )
        )
        try options.objectParameters.validate(isSecure: scheme == .https, options.metadataEncoding)
        let client = S3Client(
            addressing,
            profile: profile,
            credentials: try credentials(for: addressing, transport: given),
            transport: try given ?? transport(profile),
            settings: try clientSettings(),
            logger: options.logger
        )
        return Parts(
            client: client,
            integrity: IntegrityPolicy(options.integrity, profile: profile, environment: environment.all),
            urls: try S3URLs(self, scheme)
        )
    }

    // MARK: The server

    /// Returns the scheme and host of the server; no host for Amazon S3.
    private func server() throws -> (URLScheme, EndpointAddress?) {
        let scheme: URLScheme = useSSL ? .https : .http
        if let endpointURL {
            return try EndpointAddress.parse(url: endpointURL, option: "endpointURL", defaultScheme: scheme)
        }
        if let (url, option) = try configuredURL() { return try EndpointAddress.parse(url: url, option: option) }
        return (scheme, nil)
    }

    /// Returns the URL of the server in the environment or the profile, and the name of the setting.
    private func configuredURL() throws -> (url: String, option: String)? {
        guard try !environment.ignoresEndpointURLs else { return nil }
        if let variable = endpointVariable, let url = environment[variable] { return (url, variable) }
        return profile?.endpointURL.map { ($0, "endpoint_url of the profile") }
    }

    /// The variable of the environment that names the server, and wins over the profile.
    private var endpointVariable: String? {
        ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"].first { environment[$0] != nil }
    }

    /// Returns the place of the bucket in URLs: by the option, else by the profile.
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

    /// Returns whether the environment, else the profile, chooses a variant of Amazon's endpoints; that does not count
    /// for another server that was given, as in Amazon's own tools.
    private func variant(_ key: KeyPath<ProfileSettings, Bool?>, _ variable: String? = nil) throws -> Bool {
        var isOn = profile?[keyPath: key]
        var isOfEnvironment = false
        if let variable, environment[variable] != nil {
            isOn = try environment.isTrue(variable)
            isOfEnvironment = true
        }
        guard isOn == true, endpointURL == nil else { return false }
        if try environment.ignoresEndpointURLs { return true }
        return endpointVariable == nil && !(isOfEnvironment && profile?.endpointURL != nil)
    }

    // MARK: Requests

    private func clientSettings() throws -> S3Client.Settings {
        var settings = S3Client.Settings()
        settings.retries = try retries()
        settings.payloadSigning = options.payloadSigning
        if options.payloadSigning == .auto, let signs = profile?.signsPayload {
            settings.payloadSigning = signs ? .always : .never
        }
        settings.stallTimeout = options.stallTimeout
        settings.waitLimit = options.transfers.waitLimit
        var headers = HTTPHeaders()
        for (name, value) in options.defaultHeaders.sorted(by: { $0.key < $1.key }) { headers.append(name, value) }
        if headers["User-Agent"] == nil { headers.append("User-Agent", options.userAgent) }
        settings.headers = try HeaderValidation.check(headers).headers
        return settings
    }

    /// Returns the retries of the options, or those of the environment when the options have the default.
    private func retries() throws -> S3Retries {
        var retries = options.retries
        let isDefault = retries == S3Retries()
        switch environment["AWS_RETRY_MODE"]?.lowercased() {
        case nil, "legacy": break
        // The token bucket and the waits of these modes are there anyway; the number of attempts is what differs.
        case "standard", "adaptive": if isDefault { retries.maxAttempts = 3 }
        default:
            throw StorageError(
                .invalidConfiguration,
                "The environment variable AWS_RETRY_MODE is none of legacy, standard and adaptive; set it to one of "
                    + "them, or unset it."
            )
        }
        if let text = environment["AWS_MAX_ATTEMPTS"] {
            guard let attempts = Int(text) else {
                throw StorageError(
                    .invalidConfiguration,
                    "The environment variable AWS_MAX_ATTEMPTS is no whole number; set it to 1 or more, or unset it."
                )
            }
            if isDefault { retries.maxAttempts = max(1, attempts) }
        }
        return retries
    }
}
