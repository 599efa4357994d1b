import Storages
import StoragesHTTP

/// A profile, combined from both files: the one with credentials wins.
struct Profile: Sendable, SecretHolding {
    let name: String
    private let credentials: ProfileFile.Section?
    private let config: ProfileFile.Section?
    private let services: ProfileFile.Section?

    init(
        name: String,
        credentials: ProfileFile.Section?,
        config: ProfileFile.Section?,
        services: (String) throws -> ProfileFile.Section?
    ) rethrows {
        self.name = name
        self.credentials = credentials
        self.config = config
        let serviceName = credentials?.values["services"] ?? config?.values["services"]
        self.services = try serviceName.flatMap { try $0.isEmpty ? nil : services($0) }
    }

    /// The value of a key in lower case; an empty one counts as unset.
    subscript(key: String) -> String? {
        for section in [credentials, config] {
            if let value = section?.values[key], !value.isEmpty { return value }
        }
        return nil
    }

    /// Returns the value of a key in the block `s3 =`.
    func s3(_ key: String) -> String? {
        for section in [credentials, config] {
            if let value = section?.blocks["s3"]?[key], !value.isEmpty { return value }
        }
        return nil
    }

    /// Returns the value of a key that the services section gives for one service.
    func value(of key: String, forService service: String) -> String? {
        guard let value = services?.blocks[service]?[key], !value.isEmpty else { return nil }
        return value
    }

    /// Returns the keys in the profile: all from one of the files, so that no token meets another's key.
    ///
    /// - Throws: ``StorageError`` with code `invalidConfiguration` for half a pair.
    func keys() throws -> S3Credentials? {
        for values in [credentials?.values, config?.values] {
            guard let values else { continue }
            let accessKeyID = values["aws_access_key_id"] ?? ""
            let secretAccessKey = values["aws_secret_access_key"] ?? ""
            guard !accessKeyID.isEmpty || !secretAccessKey.isEmpty else { continue }
            return try S3Credentials(
                accessKeyID: accessKeyID,
                secretAccessKey: secretAccessKey,
                sessionToken: values["aws_session_token"] ?? values["aws_security_token"],
                expiration: nil,
                from: "the profile \(StorageError.quoted(name))"
            )
        }
        return nil
    }
}
