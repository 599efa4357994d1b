import NIOCore
import Storages
import StoragesHTTP

/// The credentials of an EC2 instance's role, from its metadata service (IMDSv2).
///
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html>
struct InstanceMetadataProvider: S3CredentialProvider, SecretHolding {
    let context: CredentialContext

    private static let source = "the instance metadata service"
    private static let rolePath = "/latest/meta-data/iam/security-credentials/"

    func credentials() async throws -> S3Credentials? {
        guard !context.instanceMetadata.isDisabled, try !context.environment.isTrue("AWS_EC2_METADATA_DISABLED") else {
            return nil
        }
        let endpoint = try endpoint()
        let attempts = CredentialAttempts(limit: context.instanceMetadata.attempts, pause: context.pause)
        return try await attempts.run {
            let token = try await token(at: endpoint)
            let role = try await role(at: endpoint, token)
            return try await credentials(of: role, at: endpoint, token)
        }
    }

    private func endpoint() throws -> ServiceURL {
        if let endpoint = try context.instanceMetadata.endpoint() { return endpoint }
        if let endpoint = context.environment["AWS_EC2_METADATA_SERVICE_ENDPOINT"] {
            return try ServiceURL(endpoint, from: "AWS_EC2_METADATA_SERVICE_ENDPOINT")
        }
        let mode = "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"
        switch context.environment[mode]?.lowercased() {
        case nil, "ipv4": return try ServiceURL("http://169.254.169.254", from: "the default")
        case "ipv6": return try ServiceURL("http://[fd00:ec2::254]", from: "the default")
        default: throw StorageError(.invalidConfiguration, "\(mode) is neither IPv4 nor IPv6; set it to one of them.")
        }
    }

    // MARK: The three requests

    /// Requests a token; `nil` when requests are to go without one.
    private func token(at endpoint: ServiceURL) async throws -> String? {
        var request = request(.put, endpoint.appending("/latest/api/token"), token: nil)
        request.headers["x-aws-ec2-metadata-token-ttl-seconds"] = "21600"
        request.timeout = context.instanceMetadata.connectTimeout
        let response: BufferedResponse
        do {
            response = try await context.transport.response(to: request, from: Self.source)
        } catch let failure as TransientFailure {
            let kind = (failure.error.underlying as? HTTPFailure)?.kind
            if kind == .timedOut, try mayGoWithoutToken(forbidden: false) { return nil }
            var error = failure.error
            if kind == .timedOut {
                error.message +=
                    " If this is a container on an EC2 instance, raise the instance's metadata hop limit to 2."
            }
            throw TransientFailure(error: error)
        }
        if [403, 404, 405].contains(response.status), try mayGoWithoutToken(forbidden: response.status == 403) {
            return nil
        }
        try response.requireSuccess(from: Self.source)
        let token = String(buffer: response.body)
        guard !token.isEmpty, token.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw TransientFailure(error: StorageError(.unavailable, "\(Self.source) gave a token that is none."))
        }
        return token
    }

    private func mayGoWithoutToken(forbidden: Bool) throws -> Bool {
        guard try !context.environment.isTrue("AWS_EC2_METADATA_V1_DISABLED") else { return false }
        return switch context.instanceMetadata.versionOneFallback {
        case .never: false
        case .unlessForbidden: !forbidden
        case .always: true
        }
    }

    private func role(at endpoint: ServiceURL, _ token: String?) async throws -> String {
        let response = try await get(endpoint.appending(Self.rolePath), token)
        guard response.status != 404 else {
            throw StorageError(
                .invalidConfiguration,
                "\(Self.source) knows no role for this instance; attach an instance profile to it."
            )
        }
        try response.requireSuccess(from: Self.source)
        let lines = String(buffer: response.body).split(whereSeparator: \.isNewline)
        let role = lines.first.map { $0.filter { !$0.isWhitespace } } ?? ""
        // It becomes a part of a path.
        guard (1...64).contains(role.utf8.count), role.utf8.allSatisfy(AssumedRole.isNameByte), role != ".",
            role != ".."
        else {
            throw TransientFailure(
                error: StorageError(.unavailable, "\(Self.source) gave a name of a role that cannot be one.")
            )
        }
        return role
    }

    private func credentials(
        of role: String,
        at endpoint: ServiceURL,
        _ token: String?
    ) async throws -> S3Credentials {
        var response = try await get(endpoint.appending(Self.rolePath + role), token)
        try response.requireSuccess(from: Self.source)
        do {
            // Status 200 does not mean success: the service reports trouble with the role under it, too.
            let document = try CredentialDocument.read(wiping: &response.body, from: Self.source)
            return try document.credentials(from: Self.source)
        } catch let error as StorageError where error.code == .unavailable {
            throw TransientFailure(error: error)
        }
    }

    private func get(_ url: ServiceURL, _ token: String?) async throws -> BufferedResponse {
        let response = try await context.transport.response(to: request(.get, url, token: token), from: Self.source)
        guard response.status == 401, token != nil else { return response }
        // The token has expired, as after the clock was set; the next attempt brings another.
        throw TransientFailure(error: StorageError(.permissionDenied, "\(Self.source) did not accept its own token."))
    }

    private func request(_ method: HTTPRequest.Method, _ url: ServiceURL, token: String?) -> HTTPRequest {
        var request = HTTPRequest(method: method, url: url.string, headers: ["Host": url.authority])
        request.headers["x-aws-ec2-metadata-token"] = token
        request.timeout = context.instanceMetadata.timeout
        request.stallTimeout = context.instanceMetadata.timeout
        request.isDirect = true
        return request
    }
}
