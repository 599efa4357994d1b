import Foundation
import Storages
import StoragesHTTP

/// Keys in environment variables: `AWS_S3_ACCESS_KEY_ID` and `AWS_S3_SECRET_ACCESS_KEY`, which are meant for storages
/// only, else `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`.
struct EnvironmentCredentialProvider: S3CredentialProvider {
    let environment: EnvironmentVariables

    func credentials() async throws -> S3Credentials? {
        if let set = try credentials(prefix: "AWS_S3_", token: storageToken) { return set }
        return try credentials(prefix: "AWS_", token: environment.first(of: "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"))
    }

    /// The token of the keys for storages: never the one that belongs to the other pair.
    private var storageToken: String? {
        if let token = environment["AWS_S3_SESSION_TOKEN"] { return token }
        guard environment["AWS_ACCESS_KEY_ID"] == nil else { return nil }
        return environment.first(of: "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN")
    }

    private func credentials(prefix: String, token: String?) throws -> S3Credentials? {
        let accessKeyID = environment["\(prefix)ACCESS_KEY_ID"]
        let secretAccessKey = environment["\(prefix)SECRET_ACCESS_KEY"]
        guard accessKeyID != nil || secretAccessKey != nil else { return nil }
        var expiration: Date?
        // Keys without a token do not expire; the date belongs to others.
        if token != nil, let text = environment["AWS_CREDENTIAL_EXPIRATION"] {
            guard let date = ISO8601Timestamp.date(from: text) else {
                throw StorageError(
                    .invalidConfiguration,
                    "AWS_CREDENTIAL_EXPIRATION is no time in the form 2030-01-31T12:00:00Z; correct or unset it."
                )
            }
            expiration = date
        }
        return try S3Credentials(
            accessKeyID: accessKeyID,
            secretAccessKey: secretAccessKey,
            sessionToken: token,
            expiration: expiration,
            from: "the environment (\(prefix)ACCESS_KEY_ID, \(prefix)SECRET_ACCESS_KEY)"
        )
    }
}
