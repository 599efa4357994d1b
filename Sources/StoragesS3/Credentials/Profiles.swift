import Storages
import StoragesHTTP

/// The profiles of the two files that AWS's tools share.
struct Profiles: Sendable, SecretHolding {
    /// A profile that is to be used.
    struct Selection: Hashable, Sendable {
        var name: String
        /// The setting that names it, for messages; `nil` for the default, which need not exist.
        var source: String?
    }

    private let credentials: ProfileFile
    private let config: ProfileFile

    init(credentials: ProfileFile, config: ProfileFile) {
        self.credentials = credentials
        self.config = config
    }

    /// Reads both files: `AWS_SHARED_CREDENTIALS_FILE` or `~/.aws/credentials`, and `AWS_CONFIG_FILE` or
    /// `~/.aws/config`.
    ///
    /// A file that does not exist is like an empty one. So is one at its usual place that this process may not read, as
    /// long as nobody named a profile: services run with the home directory of others, and have their credentials from
    /// elsewhere.
    ///
    /// - Parameters:
    ///   - selection: The profile that is to be used.
    ///   - environment: The environment, which names the files.
    /// - Throws: ``StorageError`` with code `invalidConfiguration` for a file with a mistake in it, or with the code of
    ///   the system's error for one that cannot be read.
    static func load(for selection: Selection, in environment: EnvironmentVariables) async throws -> Profiles {
        func file(_ kind: ProfileFile.Kind, namedBy variable: String, orAt usual: String) async throws -> ProfileFile {
            let given = environment[variable]
            let path = given ?? usual
            let text = try await SecretFile.read(
                path,
                in: environment,
                upTo: 1 << 20,
                as: "the file of profiles",
                ignoresForbidden: given == nil && selection.source == nil
            )
            return try text.map { try ProfileFile(parsing: $0, as: kind, at: path) } ?? ProfileFile()
        }
        return Profiles(
            credentials: try await file(
                .credentials,
                namedBy: "AWS_SHARED_CREDENTIALS_FILE",
                orAt: "~/.aws/credentials"
            ),
            config: try await file(.config, namedBy: "AWS_CONFIG_FILE", orAt: "~/.aws/config")
        )
    }

    /// Returns the profile that the option names, else the environment, else the default.
    static func selection(_ option: String?, in environment: EnvironmentVariables) -> Selection {
        if let option { return Selection(name: option, source: "an option of the storage") }
        for variable in ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"] {
            if let name = environment[variable] { return Selection(name: name, source: variable) }
        }
        return Selection(name: "default", source: nil)
    }

    /// Returns a profile; `nil` when neither file has it.
    ///
    /// - Throws: ``StorageError`` with code `invalidConfiguration` when it names services that are not there.
    func profile(_ name: String) throws -> Profile? {
        let sections = (credentials.profiles[name], config.profiles[name])
        guard sections.0 != nil || sections.1 != nil else { return nil }
        return try Profile(name: name, credentials: sections.0, config: sections.1) { services in
            guard let section = config.services[services] else {
                throw StorageError(
                    .invalidConfiguration,
                    "The profile \(StorageError.quoted(name)) names the services \(StorageError.quoted(services)), "
                        + "but the config file has no [services …] of that name; add it."
                )
            }
            return section
        }
    }

    /// Returns the selected profile.
    ///
    /// - Returns: `nil` when nobody named one and there is no default.
    /// - Throws: ``StorageError`` with code `invalidConfiguration` when the one that was named is missing: another set
    ///   of credentials must not take its place silently.
    func profile(_ selection: Selection) throws -> Profile? {
        let profile = try profile(selection.name)
        if profile == nil, let source = selection.source {
            throw StorageError(
                .invalidConfiguration,
                "The profile \(StorageError.quoted(selection.name)), named by \(source), is in neither file: "
                    + "add it to ~/.aws/credentials or, as [profile …], to ~/.aws/config."
            )
        }
        return profile
    }
}
