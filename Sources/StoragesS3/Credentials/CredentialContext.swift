import Foundation
import Storages

/// Gives the header fields that sign a request, to be added to those it has.
typealias RequestSigning =
    @Sendable (
        _ request: SignableRequest, _ credentials: S3Credentials, _ region: String, _ service: String, _ date: Date
    ) throws -> HTTPHeaders

/// What the providers of credentials are given from outside: the environment, the network, the clock.
struct CredentialContext: Sendable, SecretHolding {
    /// Where settings, and paths of files with settings, come from.
    var environment: EnvironmentVariables
    var transport: any HTTPTransport
    /// Signs requests to STS.
    var sign: RequestSigning
    /// The region that was given explicitly, for STS.
    var region: String?
    var instanceMetadata = InstanceMetadataOptions()
    var now: @Sendable () -> Date = { Date() }
    /// Waits between two attempts.
    var pause: @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
    var resolveHost: HostResolver = HostAddress.resolve

    init(
        environment: EnvironmentVariables = .process,
        transport: any HTTPTransport,
        sign: @escaping RequestSigning
    ) {
        self.environment = environment
        self.transport = transport
        self.sign = sign
    }

    /// Where STS is, and the region its requests are signed for.
    ///
    /// - Parameter profile: What the profile says, which the option and the environment override. Default: nothing.
    /// - Throws: ``StorageError`` with code `invalidConfiguration` for an endpoint that is not `https`, or a region that is
    ///   no host label.
    func securityTokenService(profile: ProfileSettings? = nil) throws -> (endpoint: ServiceURL, region: String) {
        let region =
            region ?? environment.first(of: "AWS_REGION", "AWS_DEFAULT_REGION") ?? profile?.region ?? "us-east-1"
        if let text = environment["AWS_ENDPOINT_URL_STS"] {
            return (try ServiceURL(text, from: "AWS_ENDPOINT_URL_STS").requiringTLS(), region)
        }
        if let text = profile?.stsEndpointURL {
            return (try ServiceURL(text, from: "the endpoint_url of sts").requiringTLS(), region)
        }
        // It becomes a part of a host name.
        let isLabel =
            (1...63).contains(region.utf8.count) && region.first != "-" && region.last != "-"
            && region.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
                    true
                default:
                    false
                }
            }
        guard isLabel else {
            throw StorageError(
                .invalidConfiguration,
                "The region \(StorageError.quoted(region)) is not one: letters, digits and hyphens only."
            )
        }
        let suffix = region.hasPrefix("cn-") ? ".cn" : ""
        return (try ServiceURL("https://sts.\(region).amazonaws.com\(suffix)", from: "the region"), region)
    }
}
