import Storages
import StoragesHTTP

/// The credentials of a role that other credentials may assume.
///
/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>
struct AssumeRoleProvider: S3CredentialProvider, SecretHolding {
    let context: CredentialContext
    let role: AssumedRole
    /// The provider of the credentials that sign the request; they are fetched anew with each of the role's.
    let source: any S3CredentialProvider
    /// The name of that provider, for messages.
    let sourceName: String
    /// The settings of the profile that names the role.
    var profile: ProfileSettings?

    func credentials() async throws -> S3Credentials? {
        let service = try context.securityTokenService(profile: profile)
        guard let keys = try await source.credentials() else {
            throw StorageError(
                .invalidConfiguration,
                "The role \(StorageError.quoted(role.arn)) cannot be taken: \(sourceName) has no credentials."
            )
        }
        var fields = role.fields(action: "AssumeRole", at: context.now())
        if let externalID = role.externalID { fields.append(("ExternalId", externalID)) }
        let client = STSClient(context: context, endpoint: service.endpoint, region: service.region)
        return try await client.send(fields, signedBy: keys)
    }
}
