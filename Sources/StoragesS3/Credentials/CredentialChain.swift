import NIOConcurrencyHelpers
import Storages
import StoragesHTTP

/// Asks providers in turn until one has credentials, and stays with that one.
///
/// A provider that is configured and fails ends the search: another's credentials, which may be allowed more or less,
/// must not take the place of those that were meant.
final class CredentialChain: S3CredentialProvider, SecretHolding {
    /// A provider, and the words that an error has for it.
    struct Link: Sendable {
        /// The name of the provider.
        var name: String
        /// The reason why it has no credentials, when it has none.
        var absence: String
        /// A Boolean value that indicates whether the provider finds out by a request whether there are credentials, so
        /// that its failure may only mean that there are none.
        var isSearching = false
        var provider: any S3CredentialProvider
    }

    private let links: [Link]
    private let chosen = NIOLockedValueBox<Int?>(nil)

    init(_ links: [Link]) {
        self.links = links
    }

    /// Creates the usual chain: environment, web identity, profile, container, instance metadata.
    ///
    /// - Parameters:
    ///   - context: The environment, the network and the clock of the providers.
    ///   - profile: The profile that was named as an option, which then comes before the environment. Default: none
    ///     was.
    ///   - loadsProfiles: Whether the files with profiles are read. Default: they are.
    /// - Throws: ``StorageError`` with code `invalidConfiguration` for a named profile when the files are not to be
    ///   read.
    convenience init(_ context: CredentialContext, profile: String? = nil, loadsProfiles: Bool = true) throws {
        guard profile == nil || loadsProfiles else { throw CredentialChain.noProfiles }
        var links: [Link] = []
        if profile == nil {
            links.append(
                Link(
                    name: "environment",
                    absence: "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set",
                    provider: EnvironmentCredentialProvider(environment: context.environment)
                )
            )
            links.append(
                Link(
                    name: "web identity",
                    absence: "AWS_WEB_IDENTITY_TOKEN_FILE is not set",
                    provider: WebIdentityProvider(context: context)
                )
            )
        }
        if loadsProfiles {
            links.append(
                Link(
                    name: "profile",
                    absence: profile == nil
                        ? "no profile is named, and the default one has no credentials or is not there"
                        : "it has no credentials",
                    provider: ProfileCredentialProvider(context: context, profile: profile)
                )
            )
        }
        links.append(
            Link(
                name: "container",
                absence: "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and AWS_CONTAINER_CREDENTIALS_FULL_URI are not set",
                provider: ContainerProvider(context: context)
            )
        )
        links.append(
            Link(
                name: "instance metadata",
                absence: "it is switched off",
                isSearching: true,
                provider: InstanceMetadataProvider(context: context)
            )
        )
        self.init(links)
    }

    /// The error for a profile that was named although the files of profiles are not to be read.
    static let noProfiles = StorageError(
        .invalidConfiguration,
        "The options profile and loadsProfiles do not go together: the files of profiles shall not be read. Leave one "
            + "of them out."
    )

    /// Returns the provider that the options of a storage call for.
    ///
    /// - Parameters:
    ///   - accessKeyID: As an option gives it; with the secret, or not at all.
    ///   - secretAccessKey: As an option gives it.
    ///   - sessionToken: As an option gives it.
    ///   - profile: As an option gives it; not together with keys.
    ///   - loadsProfiles: Whether the files with profiles are read. Default: they are.
    ///   - context: The environment, the network and the clock of the providers.
    /// - Throws: ``StorageError`` with code `invalidConfiguration`.
    static func provider(
        accessKeyID: String?,
        secretAccessKey: String?,
        sessionToken: String?,
        profile: String?,
        loadsProfiles: Bool = true,
        in context: CredentialContext
    ) throws -> any S3CredentialProvider {
        let keys = try StaticCredentialProvider(
            accessKeyID: accessKeyID,
            secretAccessKey: secretAccessKey,
            sessionToken: sessionToken
        )
        guard let keys else { return try CredentialChain(context, profile: profile, loadsProfiles: loadsProfiles) }
        guard profile == nil else {
            throw StorageError(.invalidConfiguration, "Keys and a profile were given; leave one of them out.")
        }
        return keys
    }

    func credentials() async throws -> S3Credentials? {
        if let index = chosen.withLockedValue({ $0 }) {
            let link = links[index]
            guard let set = try await link.provider.credentials() else {
                throw StorageError(
                    .unavailable,
                    "The credentials came from here until now, but are there no more: \(link.name)."
                )
            }
            return set
        }
        var reports: [String] = []
        var failure: StorageError?
        for (index, link) in links.enumerated() {
            do {
                if let set = try await link.provider.credentials() {
                    chosen.withLockedValue { $0 = index }
                    return set
                }
                reports.append("\(link.name): \(link.absence)")
            } catch let error as StorageError where link.isSearching {
                failure = error
                reports.append("\(link.name): \(error.message)")
            }
        }
        throw StorageError(
            failure?.code ?? .invalidConfiguration,
            "There are no credentials. Asked were \(reports.joined(separator: "; ")). "
                + "Give keys to the storage, or set up one of these; for public files use anonymous access.",
            underlying: failure?.underlying
        )
    }
}
