import Storages
import StoragesHTTP

/// The credentials that a profile gives: keys, a role, a web identity, or a program.
///
/// The files are read anew each time.
struct ProfileCredentialProvider: S3CredentialProvider, SecretHolding {
    let context: CredentialContext
    /// The profile that was named as an option; `nil` for the one of the environment.
    var profile: String?

    func credentials() async throws -> S3Credentials? {
        let selection = Profiles.selection(self.profile, in: context.environment)
        let profiles = try await Profiles.load(for: selection, in: context.environment)
        guard let profile = try profiles.profile(selection) else { return nil }
        return try await provider(for: profile, in: profiles, visited: [])?.credentials()
    }

    /// Returns the provider of a profile's credentials.
    ///
    /// - Parameter visited: The profiles whose source this one is, the outermost first.
    private func provider(
        for profile: Profile,
        in profiles: Profiles,
        visited: [String]
    ) throws -> (any S3CredentialProvider)? {
        // The keys of a profile are the source of its own role, or of another's that names it.
        if !visited.isEmpty, let keys = try profile.keys() { return StaticCredentialProvider(keys) }
        if profile["role_arn"] != nil || profile["web_identity_token_file"] != nil {
            return try roleProvider(for: profile, in: profiles, visited: visited)
        }
        if let keys = try profile.keys() { return StaticCredentialProvider(keys) }
        if let command = profile["credential_process"] {
            return ProcessCredentialProvider(command: command, environment: context.environment)
        }
        guard profile["sso_session"] == nil, profile["sso_start_url"] == nil else {
            throw failure(
                profile,
                "it uses IAM Identity Center (sso_…), which is not offered here; add to another profile: "
                    + "credential_process = aws configure export-credentials --profile \(profile.name) --format process"
            )
        }
        return nil
    }

    private func roleProvider(
        for profile: Profile,
        in profiles: Profiles,
        visited: [String]
    ) throws -> any S3CredentialProvider {
        guard let arn = profile["role_arn"] else { throw failure(profile, "web_identity_token_file needs a role_arn") }
        guard profile["mfa_serial"] == nil else {
            throw failure(profile, "its role asks for a one-time password (mfa_serial), which a server cannot type")
        }
        let settings = try ProfileSettings(profile)
        let role = try AssumedRole(
            arn: arn,
            sessionName: profile["role_session_name"],
            externalID: profile["external_id"],
            durationSeconds: try profile["duration_seconds"].map { text in
                guard let seconds = Int(text) else { throw failure(profile, "duration_seconds is no number") }
                return seconds
            }
        )
        let source: any S3CredentialProvider
        let sourceName: String
        switch (profile["source_profile"], profile["credential_source"], profile["web_identity_token_file"]) {
        case (let name?, nil, nil):
            source = try sourceProvider(name, of: profile, in: profiles, visited: visited)
            sourceName = "the source profile \(StorageError.quoted(name))"
        case (nil, let name?, nil):
            source = try namedSource(name, of: profile)
            sourceName = "the credential source \(StorageError.quoted(name))"
        case (nil, nil, let file?):
            let identity = WebIdentityProvider.Identity(tokenFile: file, role: role)
            return WebIdentityProvider(context: context, identity: identity, profile: settings)
        case (nil, nil, nil):
            throw failure(
                profile,
                "its role_arn needs one of source_profile, credential_source and web_identity_token_file"
            )
        default:
            throw failure(
                profile,
                "it has more than one of source_profile, credential_source and web_identity_token_file; keep one"
            )
        }
        return AssumeRoleProvider(
            context: context,
            role: role,
            source: source,
            sourceName: sourceName,
            profile: settings
        )
    }

    private func sourceProvider(
        _ name: String,
        of profile: Profile,
        in profiles: Profiles,
        visited: [String]
    ) throws -> any S3CredentialProvider {
        let path = visited + [profile.name]
        guard let source = try profiles.profile(name) else {
            throw failure(profile, "its source_profile \(StorageError.quoted(name)) is in neither file")
        }
        // A profile with keys ends the search, even the same one; any other that comes a second time would never end
        // it.
        if path.contains(name), try source.keys() == nil {
            let loop = (path + [name]).map(StorageError.quoted).joined(separator: " → ")
            throw failure(profile, "the source profiles lead back to where they began: \(loop)")
        }
        guard let provider = try provider(for: source, in: profiles, visited: path) else {
            throw failure(profile, "its source_profile \(StorageError.quoted(name)) has no credentials")
        }
        return provider
    }

    private func namedSource(_ name: String, of profile: Profile) throws -> any S3CredentialProvider {
        switch name {
        case "Environment": return EnvironmentCredentialProvider(environment: context.environment)
        case "EcsContainer": return ContainerProvider(context: context)
        case "Ec2InstanceMetadata": return InstanceMetadataProvider(context: context)
        default:
            throw failure(
                profile,
                "its credential_source \(StorageError.quoted(name)) is not Environment, EcsContainer or "
                    + "Ec2InstanceMetadata"
            )
        }
    }

    private func failure(_ profile: Profile, _ reason: String) -> StorageError {
        StorageError(
            .invalidConfiguration,
            "The profile \(StorageError.quoted(profile.name)) cannot be used: \(reason)."
        )
    }
}
