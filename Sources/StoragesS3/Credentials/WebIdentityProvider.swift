import Storages
import StoragesHTTP

/// The credentials of a role that the token in a file may assume, as Kubernetes writes one for each pod.
///
/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html>
///
/// The file is read anew each time: it is replaced before the token expires.
struct WebIdentityProvider: S3CredentialProvider, SecretHolding {
    /// The file and the role.
    struct Identity: Hashable, Sendable {
        var tokenFile: String
        var role: AssumedRole
    }

    let context: CredentialContext
    private let given: Identity?
    private let profile: ProfileSettings?

    /// Creates a provider from `AWS_WEB_IDENTITY_TOKEN_FILE`, `AWS_ROLE_ARN` and `AWS_ROLE_SESSION_NAME`.
    init(context: CredentialContext) {
        self.context = context
        given = nil
        profile = nil
    }

    /// Creates a provider from a profile.
    init(context: CredentialContext, identity: Identity, profile: ProfileSettings) {
        self.context = context
        given = identity
        self.profile = profile
    }

    func credentials() async throws -> S3Credentials? {
        guard let identity = try given ?? identityInEnvironment() else { return nil }
        let service = try context.securityTokenService(profile: profile)
        let token = try await token(in: identity.tokenFile)
        var fields = identity.role.fields(action: "AssumeRoleWithWebIdentity", at: context.now())
        fields.append(("WebIdentityToken", token))
        let client = STSClient(context: context, endpoint: service.endpoint, region: service.region)
        return try await client.send(fields, hiding: token)
    }

    private func identityInEnvironment() throws -> Identity? {
        guard let tokenFile = context.environment["AWS_WEB_IDENTITY_TOKEN_FILE"] else { return nil }
        guard let arn = context.environment["AWS_ROLE_ARN"] else {
            throw StorageError(
                .invalidConfiguration,
                "AWS_WEB_IDENTITY_TOKEN_FILE is set, but AWS_ROLE_ARN is not; set both or none."
            )
        }
        let role = try AssumedRole(
            arn: arn,
            sessionName: context.environment["AWS_ROLE_SESSION_NAME"],
            names: .environment
        )
        return Identity(tokenFile: tokenFile, role: role)
    }

    private func token(in path: String) async throws -> String {
        let text = try await SecretFile.read(
            path,
            in: context.environment,
            upTo: CredentialAttempts.responseLimit,
            as: "the web identity token"
        )
        guard let text else {
            throw StorageError(
                .invalidConfiguration,
                "There is no web identity token: the file \(StorageError.quoted(path)) is missing."
            )
        }
        let token = String(text.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
        guard !token.isEmpty, token.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw StorageError(
                .invalidConfiguration,
                "The file \(StorageError.quoted(path)) holds no web identity token, which is one line of visible ASCII."
            )
        }
        return token
    }
}
