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
    /// The region that was given as an option, for STS.
    var region: Region?
    /// The region of the storage, for STS when nothing else names one; `nil` when it is not one of Amazon's.
    var storageRegion: Region?
    /// The URL of STS that was given as an option.
    var stsEndpointURL: String?
    var instanceMetadata = S3InstanceMetadata()
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
    /// - Parameter profile: What the profile says, which the options and the environment override. Default: nothing.
    /// - Throws: ``StorageError`` with code `invalidConfiguration` for an endpoint that is not `https`, or a region that is
    ///   no host label.
    func securityTokenService(profile: ProfileSettings? = nil) throws -> (endpoint: ServiceURL, region: Region) {
        let region =
            try region ?? Region.configured(environment: environment.all, profile: profile?.region) ?? storageRegion
            ?? .usEast1
        if let stsEndpointURL {
            return (try ServiceURL(stsEndpointURL, from: "the option stsEndpointURL", requiresTLS: true), region)
        }
        if try !environment.ignoresEndpointURLs {
            if let text = environment["AWS_ENDPOINT_URL_STS"] {
                return (try ServiceURL(text, from: "AWS_ENDPOINT_URL_STS", requiresTLS: true), region)
            }
            if let text = profile?.stsEndpointURL {
                return (try ServiceURL(text, from: "the endpoint_url of sts", requiresTLS: true), region)
            }
        }
        // A region is a label of a host, and its name says which part of Amazon's cloud it is in.
        let domain = AWSPartition.containing(region).domain
        return (try ServiceURL("https://sts.\(region).\(domain)", from: "the region"), region)
    }
}
