import Storages
import StoragesHTTP

/// The credentials that the agent of ECS or EKS gives to a container.
///
/// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html>
struct ContainerProvider: S3CredentialProvider, SecretHolding {
    let context: CredentialContext

    func credentials() async throws -> S3Credentials? {
        guard let endpoint = try endpoint() else { return nil }
        let targets = try await targets(of: endpoint)
        let attempts = CredentialAttempts(pause: context.pause)
        return try await attempts.run {
            var request = HTTPRequest(method: .get, url: endpoint.string, headers: ["Accept": "application/json"])
            request.headers["Host"] = endpoint.authority
            request.headers["Authorization"] = try await authorization()
            request.timeout = .seconds(2)
            request.stallTimeout = .seconds(2)
            request.isDirect = true
            return try await credentials(request, at: targets)
        }
    }

    private static let source = "the credentials service of the container"

    private func credentials(_ request: HTTPRequest, at targets: [ServiceURL]) async throws -> S3Credentials {
        var failure: (any Error)?
        for target in targets {
            var request = request
            request.url = target.string
            do {
                var response = try await context.transport.response(to: request, from: Self.source)
                return try result(of: &response)
            } catch let error as TransientFailure where Self.isUnconnected(error) {
                // A name may have addresses of both families, and the agent may listen at one only.
                failure = error
            }
        }
        throw failure ?? StorageError(.unavailable, "\(Self.source) has no address.")
    }

    private static func isUnconnected(_ failure: TransientFailure) -> Bool {
        (failure.error.underlying as? HTTPFailure)?.kind == .notConnected
    }

    private func result(of response: inout BufferedResponse) throws -> S3Credentials {
        guard response.status == 200 else {
            let document = try? CredentialDocument.read(wiping: &response.body, from: Self.source)
            try response.requireSuccess(from: Self.source, complaint: document?.complaint)
            throw StorageError(.unavailable, "\(Self.source) responded with status \(response.status).")
        }
        do {
            let document = try CredentialDocument.read(wiping: &response.body, from: Self.source)
            return try document.credentials(from: Self.source)
        } catch let error as StorageError where error.code == .unavailable {
            throw TransientFailure(error: error)
        }
    }

    // MARK: Endpoint

    private func endpoint() throws -> ServiceURL? {
        if let path = context.environment["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] {
            guard path.hasPrefix("/") else {
                throw StorageError(
                    .invalidConfiguration,
                    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI must begin with a slash."
                )
            }
            return try ServiceURL("http://169.254.170.2\(path)", from: "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
        }
        return try context.environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"].map {
            try ServiceURL($0, from: "AWS_CONTAINER_CREDENTIALS_FULL_URI")
        }
    }

    /// Returns the URLs to send to: without TLS those of the addresses that were checked, so that no later response of
    /// the name service counts.
    private func targets(of endpoint: ServiceURL) async throws -> [ServiceURL] {
        guard endpoint.scheme == .http else { return [endpoint] }
        let addresses: [HostAddress]
        if let literal = HostAddress(literal: endpoint.host) {
            addresses = [literal]
        } else {
            addresses = try await context.resolveHost(endpoint.host)
        }
        guard !addresses.isEmpty, addresses.allSatisfy(\.isTrustedForCredentials) else {
            let found = addresses.map(\.text).joined(separator: ", ")
            throw StorageError(
                .invalidConfiguration,
                "AWS_CONTAINER_CREDENTIALS_FULL_URI is http to \(StorageError.quoted(endpoint.host)), which is at "
                    + "\(found): without TLS only this machine and the agents of ECS and EKS are asked for "
                    + "credentials. Use https."
            )
        }
        return addresses.map(endpoint.at)
    }

    // MARK: Authorization

    /// Returns the value of the header `Authorization`; the file is read each time, since it is replaced while this
    /// runs.
    private func authorization() async throws -> String? {
        if let path = context.environment["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] {
            let text = try await SecretFile.read(
                path,
                in: context.environment,
                upTo: CredentialAttempts.responseLimit,
                as: "the container's authorization token"
            )
            guard let text else {
                throw StorageError(
                    .invalidConfiguration,
                    "There is no authorization token: the file \(StorageError.quoted(path)), named by "
                        + "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE, is missing."
                )
            }
            return try checked(text, from: "the file named by AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
        }
        return try context.environment["AWS_CONTAINER_AUTHORIZATION_TOKEN"].map {
            try checked($0, from: "AWS_CONTAINER_AUTHORIZATION_TOKEN")
        }
    }

    private func checked(_ token: String, from source: String) throws -> String {
        guard !token.isEmpty, token.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) else {
            throw StorageError(
                .invalidConfiguration,
                "The token in \(source) is empty or has a line break, a control character or a letter that is not "
                    + "ASCII, which no header field may have."
            )
        }
        return token
    }
}
