import Storages

extension S3Storage {
    /// Makes a storage of a bucket with the settings of a profile of the files that Amazon's tools share.
    ///
    /// Reads `~/.aws/config` and `~/.aws/credentials`, or the files that `AWS_CONFIG_FILE` and
    /// `AWS_SHARED_CREDENTIALS_FILE` name. The settings that count are `region`, `endpoint_url` (also that of
    /// `services`), `ca_bundle`, and in the block `s3` `addressing_style`, `use_dualstack_endpoint`,
    /// `use_accelerate_endpoint` and `payload_signing_enabled`. Options that are given, and variables of the
    /// environment, win over the profile; `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true` leaves URLs of both out. An
    /// initialiser takes none of these settings: it reads no files before the first request, and then nothing but
    /// credentials.
    ///
    /// ```ini
    /// [profile media]
    /// region = eu-central-1
    /// endpoint_url = https://s3.example.org
    /// s3 =
    ///   addressing_style = path
    /// ```
    ///
    /// ```swift
    /// let media = try await S3Storage.load(bucketName: "media", profile: "media")
    /// ```
    ///
    /// - Parameters:
    ///   - bucketName: The bucket.
    ///   - profile: The profile's name. Default: ``S3Options/profile``, else what `AWS_PROFILE` names, else `default`.
    ///   - endpointURL: The URL of the server, over that of the profile; over TLS when it has no scheme. Default: the
    ///     profile's, else Amazon S3.
    ///   - region: The region, over that of the profile. Default: from the environment or the profile.
    ///   - defaultACL: The canned ACL of new files. Default: what the bucket says.
    ///   - customDomain: The domain of the files' URLs. Default: none.
    ///   - querystringAuth: Whether URLs are signed. Default: `false`.
    ///   - options: Everything else. With ``S3Options/loadsProfiles`` off, this is the same as an initialiser.
    /// - Returns: A storage. Nothing has been sent yet.
    /// - Throws: ``StorageError`` with code ``StorageError/Code/invalidConfiguration`` for a profile that was named and
    ///   does not exist, mistakes in the files, and options that make no sense; with the code of the system's error for
    ///   a file that cannot be read; `CancellationError`.
    public static func load(
        bucketName: String,
        profile: String? = nil,
        endpointURL: String? = nil,
        region: String? = nil,
        defaultACL: S3CannedACL? = nil,
        customDomain: String? = nil,
        querystringAuth: Bool = false,
        options: S3Options = S3Options()
    ) async throws -> S3Storage {
        var setup = S3Setup(
            bucketName: bucketName,
            endpointURL: endpointURL,
            region: region,
            defaultACL: defaultACL,
            customDomain: customDomain,
            querystringAuth: querystringAuth,
            options: options
        )
        setup.options.profile = profile ?? options.profile
        try await setup.loadProfile()
        return try S3Storage(setup)
    }
}

extension S3Setup {
    /// Reads the settings of the profile, on a thread of its own.
    mutating func loadProfile() async throws {
        guard options.loadsProfiles else {
            guard options.profile == nil else { throw CredentialChain.noProfiles }
            return
        }
        profile = try await ProfileSettings.load(profile: options.profile, in: environment)
    }
}
