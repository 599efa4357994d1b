import Storages

/// The settings of a profile for a storage, besides credentials.
struct ProfileSettings: Hashable, Sendable {
    /// The profile's name.
    var name: String
    var region: String?
    /// The URL of S3: that of the profile's services, else the profile's own.
    var endpointURL: String?
    /// The URL of STS that the profile's services give; never the profile's own.
    var stsEndpointURL: String?
    /// The path of a file with certificates.
    var certificateBundle: String?
    /// The addressing style: `auto`, `virtual` or `path`.
    var addressingStyle: String?
    var usesDualStack: Bool?
    var usesAccelerate: Bool?
    var usesFIPS: Bool?
    var signsPayload: Bool?

    /// Reads the settings of the selected profile.
    ///
    /// - Parameters:
    ///   - profile: The name that was given as an option. Default: the one of the environment.
    ///   - environment: The environment, which names the files.
    /// - Returns: `nil` when nobody named a profile and there is no default.
    /// - Throws: ``StorageError`` with code `invalidConfiguration` for a profile that was named and is missing, a file
    ///   that cannot be read, or a switch that is neither `true` nor `false`.
    static func load(
        profile: String? = nil,
        in environment: EnvironmentVariables = .process
    ) async throws -> ProfileSettings? {
        let selection = Profiles.selection(profile, in: environment)
        return try await Profiles.load(for: selection, in: environment).profile(selection).map(ProfileSettings.init)
    }

    /// Reads the settings in a profile.
    init(_ profile: Profile) throws {
        func flag(_ key: String, _ value: String?) throws -> Bool? {
            switch value?.lowercased() {
            case nil: return nil
            case "true": return true
            case "false": return false
            default:
                throw StorageError(
                    .invalidConfiguration,
                    "\(key) of the profile \(StorageError.quoted(profile.name)) is neither true nor false."
                )
            }
        }
        name = profile.name
        region = profile["region"]
        certificateBundle = profile["ca_bundle"]
        if try flag("ignore_configured_endpoint_urls", profile["ignore_configured_endpoint_urls"]) != true {
            endpointURL = profile.value(of: "endpoint_url", forService: "s3") ?? profile["endpoint_url"]
            stsEndpointURL = profile.value(of: "endpoint_url", forService: "sts")
        }
        addressingStyle = profile.s3("addressing_style")
        let s3Flag: (String) throws -> Bool? = { try flag("s3.\($0)", profile.s3($0)) }
        usesDualStack =
            try s3Flag("use_dualstack_endpoint") ?? flag("use_dualstack_endpoint", profile["use_dualstack_endpoint"])
        usesFIPS = try flag("use_fips_endpoint", profile["use_fips_endpoint"])
        usesAccelerate = try s3Flag("use_accelerate_endpoint")
        signsPayload = try s3Flag("payload_signing_enabled")
    }
}
