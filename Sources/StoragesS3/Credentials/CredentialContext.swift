import Foundation
import Storages
import StoragesHTTP

/// A function that returns the headers that sign a request, to be added to those it has.
typealias RequestSigning =
    @Sendable (
        _ request: SignableRequest, _ credentials: S3Credentials, _ region: String, _ service: String, _ date: Date
    ) throws -> HTTPHeaders

/// The environment, the network and the clock of the providers of credentials.
struct CredentialContext: Sendable, SecretHolding {
    /// The source of settings, and of paths of files with settings.
    var environment: EnvironmentVariables
    var transport: any HTTPTransport
    /// A function that signs requests to STS.
    var sign: RequestSigning
    /// The region that was given as an option, for STS.
    var region: Region?
    /// The region of the storage, for STS when nothing else names one; `nil` when it is not one of Amazon's.
    var storageRegion: Region?
    /// The URL of STS that was given as an option.
    var stsEndpointURL: String?
    var instanceMetadata = S3InstanceMetadata()
    var now: @Sendable () -> Date = { Date() }
    /// A function that waits between two attempts.
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

    /// Returns the URL of STS, and the region its requests are signed for.
    ///
    /// <https://docs.aws.amazon.com/general/latest/gr/sts.html>
    ///
    /// - Parameter profile: The settings of the profile, which the options and the environment override. Default: none.
    /// - Throws: ``StorageError`` with code `invalidConfiguration` for an endpoint that is not `https`, or a region
    ///   that is no host label.
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
