import Foundation
import NIOCore
import Storages
import StoredFilesTesting
import TestSupport
import Testing

@testable import StoragesHTTP
@testable import StoragesS3

@Suite("Credentials of storages", .timeLimit(.minutes(3)))
struct StorageCredentialTests {
    let fixture: CredentialFixture

    init() throws {
        fixture = try CredentialFixture()
    }

    private static let role = S3AssumedRole(
        arn: "arn:aws:iam::1:role/media",
        sessionName: "app",
        externalID: "word",
        duration: .seconds(1800)
    )

    /// A storage of Amazon's S3 without keys, in an environment of its own.
    private func storage(
        _ variables: [String: String],
        _ transport: ScriptedTransport,
        keys: Bool = false,
        region: String? = nil,
        endpoint: String? = nil,
        loadingProfile: Bool = false,
        _ configure: (inout S3Options) -> Void = { _ in }
    ) async throws -> S3Storage {
        var setup = ScriptedBucket.setup(endpoint: endpoint, useSSL: true, region: region, configure)
        if !keys {
            setup.accessKeyID = nil
            setup.secretAccessKey = nil
        }
        setup.environment = EnvironmentVariables(variables.merging(["HOME": fixture.folder]) { given, _ in given })
        if loadingProfile { try await setup.loadProfile() }
        return try S3Storage(setup, transport: transport)
    }

    private static func sts() -> ScriptedTransport {
        ScriptedTransport { request in
            if request.url.contains("sts") {
                let action = request.form["Action"] ?? ""
                return .ok(STSDocument.credentials(action, expiration: "2999-01-01T00:00:00Z"))
            }
            return try await InstanceMetadataTests.service().answerForTest(request)
        }
    }

    // MARK: Roles

    @Test("The role in the options is assumed with whichever credentials are configured")
    func assumedRole() async throws {
        try fixture.write("[default]\naws_access_key_id=PROFILE\naws_secret_access_key=s", to: ".aws/credentials")
        let environment = ["AWS_ACCESS_KEY_ID": "ENV", "AWS_SECRET_ACCESS_KEY": "s"]
        let given = S3Credentials(accessKeyID: "GIVEN", secretAccessKey: "s")
        let cases: [([String: String], Bool, (any S3CredentialProvider)?, String)] = [
            ([:], true, nil, ScriptedBucket.accessKeyID), (environment, false, nil, "ENV"),
            ([:], false, nil, "PROFILE"), (environment, false, StaticCredentialProvider(given), "GIVEN"),
        ]
        for (variables, keys, provider, source) in cases {
            let transport = Self.sts()
            let storage = try await storage(variables, transport, keys: keys, region: "eu-west-1") {
                $0.assumedRole = Self.role
                $0.credentialProvider = provider
            }
            #expect(try await storage.client.currentCredentials().accessKeyID == "ASIAROLE")
            let request = try #require(transport.requests.first)
            #expect(request.url == "https://sts.eu-west-1.amazonaws.com/")
            #expect(request.headers["Authorization"]?.contains("Credential=\(source)/") == true)
            #expect(request.headers["Authorization"]?.contains("/eu-west-1/sts/aws4_request") == true)
            #expect(
                request.form == [
                    "Action": "AssumeRole", "Version": "2011-06-15", "RoleArn": "arn:aws:iam::1:role/media",
                    "RoleSessionName": "app", "ExternalId": "word", "DurationSeconds": "1800",
                ]
            )
        }
    }

    @Test("An assumed role cannot be combined with anonymous access")
    func anonymousRole() async throws {
        let error = await storageError {
            try await storage([:], .unreachable) {
                $0.isAnonymous = true
                $0.assumedRole = Self.role
            }
        }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.message.contains("assumedRole") == true)
    }

    struct Place: Sendable, CustomTestStringConvertible {
        var variables: [String: String] = [:]
        var region: String?
        var endpoint: String?
        var config: String?
        var option: String?
        var url: String
        var testDescription: String { url + " \(endpoint ?? "") \(variables)" }
    }

    @Test(
        "The STS endpoint for a role follows from the storage's region or the option",
        arguments: [
            Place(url: "https://sts.us-east-1.amazonaws.com/"),
            Place(region: "aws-global", url: "https://sts.us-east-1.amazonaws.com/"),
            Place(region: "EUSC-DE-East-1", url: "https://sts.eusc-de-east-1.amazonaws.eu/"),
            Place(variables: ["AWS_REGION": "us-isob-east-1"], url: "https://sts.us-isob-east-1.sc2s.sgov.gov/"),
            Place(endpoint: "s3.cn-north-1.amazonaws.com.cn", url: "https://sts.cn-north-1.amazonaws.com.cn/"),
            Place(config: "region = eu-north-1", url: "https://sts.eu-north-1.amazonaws.com/"),
            Place(region: "eu-west-1", config: "region = eu-north-1", url: "https://sts.eu-west-1.amazonaws.com/"),
            // What another server calls its region is none of Amazon's.
            Place(endpoint: "0123.r2.cloudflarestorage.com", url: "https://sts.us-east-1.amazonaws.com/"),
            Place(region: "eu-west-1", option: "https://sts.internal", url: "https://sts.internal/"),
        ]
    )
    func stsPlace(_ place: Place) async throws {
        if let config = place.config { try fixture.write("[default]\n" + config, to: ".aws/config") }
        let transport = Self.sts()
        let storage = try await storage(
            place.variables,
            transport,
            keys: true,
            region: place.region,
            endpoint: place.endpoint,
            loadingProfile: place.config != nil
        ) {
            $0.assumedRole = Self.role
            $0.stsEndpointURL = place.option
        }
        _ = try await storage.client.currentCredentials()
        #expect(transport.requests.map(\.url) == [place.url])
    }

    // MARK: Instance metadata and profiles

    @Test("Storage options decide how instance metadata is requested")
    func instanceMetadata() async throws {
        let transport = Self.sts()
        let found = try await storage([:], transport) {
            $0.instanceMetadata.endpointURL = "http://metadata.internal:8080"
        }
        #expect(try await found.client.currentCredentials().accessKeyID == "K")
        #expect(transport.requests.first?.url == "http://metadata.internal:8080/latest/api/token")
        let none = try await storage([:], .unreachable) { $0.instanceMetadata.isDisabled = true }
        let error = await storageError { try await none.client.currentCredentials() }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.message.contains("instance metadata: it is switched off") == true)
        let old = InstanceMetadataTests.service(token: { ScriptedTransport.Answer(status: 404, body: "") })
        let first = try await storage([:], old) { $0.instanceMetadata.versionOneFallback = .unlessForbidden }
        #expect(try await first.client.currentCredentials().accessKeyID == "K")
    }

    @Test("Profile files are not read for credentials or settings when that is turned off")
    func noProfiles() async throws {
        try fixture.write("[default]\naws_access_key_id=PROFILE\naws_secret_access_key=s", to: ".aws/credentials")
        try fixture.write("[default]\nregion = eu-north-1", to: ".aws/config")
        let reading = try await storage([:], Self.sts(), loadingProfile: true)
        #expect(try await reading.client.currentCredentials().accessKeyID == "PROFILE")
        #expect(reading.client.addressing.region.name == "eu-north-1")
        let other = try await storage([:], Self.sts(), loadingProfile: true) { $0.loadsProfiles = false }
        #expect(try await other.client.currentCredentials().accessKeyID == "K")
        #expect(other.client.addressing.region == .usEast1)
        for isLoading in [false, true] {
            let error = await storageError {
                try await storage([:], Self.sts(), loadingProfile: isLoading) {
                    $0.loadsProfiles = false
                    $0.profile = "default"
                }
            }
            #expect(error?.code == .invalidConfiguration)
            #expect(error?.message.contains("loadsProfiles") == true)
        }
    }

    // MARK: Connections

    @Test("Connections for credentials do not use the TLS options of the S3 server")
    func connections() throws {
        var setup = ScriptedBucket.setup(endpoint: nil, useSSL: true) {
            $0.tls.certificateAuthorityFile = "/server-ca.pem"
            $0.tls.verifiesCertificates = false
            $0.tls.clientCertificateFile = "/client.pem"
            $0.tls.clientKeyFile = "/client.key"
            $0.tls.proxyCertificateAuthorityFile = "/proxy-ca.pem"
            $0.proxy = "https://proxy.internal"
            $0.noProxy = "internal"
            $0.connectTimeout = .seconds(2)
        }
        var expected = CurlSettings()
        expected.proxy = "https://proxy.internal"
        expected.noProxy = "internal"
        expected.proxyCertificateAuthorityFile = "/proxy-ca.pem"
        expected.connectTimeout = .seconds(2)
        #expect(setup.credentialConnections() == expected)
        setup.profile = try ProfileSettings.empty()
        setup.profile?.certificateBundle = "/bundle.pem"
        #expect(setup.credentialConnections().certificateAuthorityFile == "/bundle.pem")
        setup.environment = EnvironmentVariables(["AWS_CA_BUNDLE": "/variable.pem"])
        #expect(setup.credentialConnections().certificateAuthorityFile == "/variable.pem")
        #expect(setup.credentialConnections().verifiesCertificates)

        let server = setup.connections(.known(.aws))
        #expect(server.certificateAuthorityFile == "/server-ca.pem")
        #expect(!server.verifiesCertificates)
        #expect(server.clientCertificateFile == "/client.pem")
        #expect(server.clientKeyFile == "/client.key")
        #expect(server.proxyCertificateAuthorityFile == "/proxy-ca.pem")
        #expect(server.proxy == "https://proxy.internal")
        #expect(server.idleConnectionAge == .seconds(4))
    }

    @Test(
        "A credential service needs a trusted certificate, even if the S3 server does not"
    )
    func untrustedService() async throws {
        let world = try await S3World.make(.rcloneOverTLS)
        var setup = ScriptedBucket.setup(endpoint: world.server.endpoint, useSSL: true) {
            $0.tls.verifiesCertificates = false
        }
        setup.accessKeyID = nil
        setup.secretAccessKey = nil
        let service = ["HOME": fixture.folder, "AWS_CONTAINER_CREDENTIALS_FULL_URI": world.server.url + "/c"]
        setup.environment = EnvironmentVariables(service)
        let refused = try setup.parts().client
        let error = try #require(await storageError { try await refused.currentCredentials() })
        #expect((error.underlying as? HTTPFailure)?.kind == .untrusted)
        // The authority that the environment names counts: an answer comes, which has no credentials in it.
        let trusted = service.merging(["AWS_CA_BUNDLE": world.server.caFile ?? ""]) { $1 }
        setup.environment = EnvironmentVariables(trusted)
        let asked = try setup.parts().client
        let other = try #require(await storageError { try await asked.currentCredentials() })
        #expect(other.underlying == nil)
        #expect(other.message.contains("the credentials service of the container"))
    }
}
