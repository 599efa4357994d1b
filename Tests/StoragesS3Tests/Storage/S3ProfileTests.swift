import Foundation
import NIOCore
import Storages
import StoredFilesTesting
import TestSupport
import Testing

@testable import StoragesS3

@Suite("S3 storages by profile and by URL")
struct S3ProfileTests {
    private static let config = """
        [default]
        region = eu-west-1

        [profile own]
        region = eu-central-1
        endpoint_url = https://minio.internal:9000
        s3 =
          addressing_style = virtual
          payload_signing_enabled = true

        [profile path]
        region = eu-central-1
        s3 =
          addressing_style = path
          payload_signing_enabled = false

        [profile dual]
        region = eu-central-1
        s3 =
          use_dualstack_endpoint = true

        [profile fast]
        region = eu-central-1
        s3 =
          use_accelerate_endpoint = true
          addressing_style = virtual

        [profile odd]
        s3 =
          addressing_style = sideways

        [profile services]
        services = local
        [services local]
        s3 =
          endpoint_url = http://127.0.0.1:8333
        """

    private static func setup(
        _ profile: String?,
        variables: [String: String] = [:],
        _ change: (inout S3Setup) -> Void = { _ in }
    ) async throws -> S3Setup {
        let fixture = try CredentialFixture()
        let file = try fixture.write(config, to: "config")
        var options = S3Options()
        options.profile = profile
        var setup = S3Setup(bucketName: "media", options: options)
        let paths = ["HOME": fixture.folder, "AWS_CONFIG_FILE": file]
        setup.environment = EnvironmentVariables(paths.merging(variables) { _, new in new })
        change(&setup)
        try await setup.loadProfile()
        return setup
    }

    private static func url(_ setup: S3Setup) throws -> String {
        try setup.parts().client.addressing.url(forKey: "k")
    }

    static let urls: [(String?, String, String)] = [
        (nil, "https://media.s3.eu-west-1.amazonaws.com/k", "eu-west-1"),
        ("own", "https://media.minio.internal:9000/k", "eu-central-1"),
        ("path", "https://s3.eu-central-1.amazonaws.com/media/k", "eu-central-1"),
        ("dual", "https://media.s3.dualstack.eu-central-1.amazonaws.com/k", "eu-central-1"),
        ("fast", "https://media.s3-accelerate.amazonaws.com/k", "eu-central-1"),
        ("services", "http://127.0.0.1:8333/media/k", "us-east-1"),
    ]

    @Test("Region, endpoint, addressing style, dual stack and acceleration come from the profile", arguments: urls)
    func settings(profile: String?, url: String, region: String) async throws {
        let setup = try await Self.setup(profile)
        #expect(try Self.url(setup) == url)
        #expect(try setup.parts().client.addressing.region.name == region)
    }

    @Test("Options and the environment win over the profile")
    func precedence() async throws {
        let byOption = try await Self.setup("own") {
            $0.region = "us-west-2"
            $0.options.addressingStyle = .path
            $0.endpointURL = "http://other.internal"
        }
        #expect(try Self.url(byOption) == "http://other.internal/media/k")
        #expect(try byOption.parts().client.addressing.region.name == "us-west-2")
        let byEnvironment = try await Self.setup("own", variables: ["AWS_ENDPOINT_URL_S3": "http://localhost:1"])
        #expect(try Self.url(byEnvironment) == "http://media.localhost:1/k")
        // What the profile says about Amazon's endpoints is not about another server.
        let elsewhere = try await Self.setup("dual") { $0.endpointURL = "https://minio.internal" }
        #expect(try Self.url(elsewhere) == "https://minio.internal/media/k")
        let selected = try await Self.setup(nil, variables: ["AWS_PROFILE": "path"])
        #expect(try Self.url(selected) == "https://s3.eu-central-1.amazonaws.com/media/k")
    }

    static let signing: [(String, S3PayloadSigning, S3PayloadSigning)] = [
        ("own", .auto, .always), ("path", .auto, .never), ("dual", .auto, .auto), ("own", .never, .never),
        ("path", .always, .always),
    ]

    @Test("Payload signing comes from the profile unless an option decides", arguments: signing)
    func payloadSigning(profile: String, option: S3PayloadSigning, expected: S3PayloadSigning) async throws {
        let setup = try await Self.setup(profile) { $0.options.payloadSigning = option }
        #expect(try setup.parts().client.settings.payloadSigning == expected)
    }

    @Test("A missing profile and an invalid value in a profile are refused")
    func mistakes() async throws {
        let missing = await storageError { try await Self.setup("missing") }
        #expect(missing?.code == .invalidConfiguration)
        let odd = await storageError { try Self.url(try await Self.setup("odd")) }
        #expect(odd?.code == .invalidConfiguration)
        #expect(odd?.message.contains("addressing_style") == true)
    }

    @Test("Loading a storage fails when the profile is missing")
    func load() async throws {
        let error = await storageError {
            try await S3Storage.load(bucketName: "media", profile: "there-is-no-such-profile-\(UUID().uuidString)")
        }
        #expect(error?.code == .invalidConfiguration)
    }

    @Test(
        "Files are fetched with the settings of a profile, including its certificate bundle",
        arguments: [true, false]
    )
    func realServer(hasBundle: Bool) async throws {
        let world = try await S3World.make(.rcloneOverTLS)
        let fixture = try CredentialFixture()
        let config = try fixture.write(
            """
            [profile test]
            region = \(world.server.region)
            endpoint_url = \(world.server.url)
            \(hasBundle ? "ca_bundle = \(world.server.caFile ?? "")" : "")
            """,
            to: "config"
        )
        let credentials = try fixture.write(
            """
            [test]
            aws_access_key_id = \(world.server.accessKeyID)
            aws_secret_access_key = \(world.server.secretAccessKey)
            """,
            to: "credentials"
        )
        var options = S3Options()
        options.profile = "test"
        options.server = .rclone
        var setup = S3Setup(bucketName: world.bucket, options: options)
        setup.environment = EnvironmentVariables([
            "HOME": fixture.folder, "AWS_CONFIG_FILE": config, "AWS_SHARED_CREDENTIALS_FILE": credentials,
        ])
        try await setup.loadProfile()
        let storage = try S3Storage(setup)
        guard hasBundle else {
            let error = await storageError { try await storage.exists(StorageName(validating: "a.txt")) }
            #expect(error?.code == .permissionDenied)
            return
        }
        let file = try await storage.upload(.string("by profile"), to: StorageName(validating: "a.txt"))
        #expect(try await storage.open(file.name).collect(upTo: 100) == ByteBuffer(string: "by profile"))
    }

    static let servers = [
        ("https://minio.internal:9000", "https://minio.internal:9000/media/k"),
        ("minio.internal:9000", "https://minio.internal:9000/media/k"),
        ("http://localhost/", "http://localhost/media/k"),
        ("HTTPS://[::1]:443", "https://[::1]/media/k"),
        ("https://gateway.internal/storage/v1/s3", "https://gateway.internal/storage/v1/s3/media/k"),
        ("https://s3.eu-central-1.amazonaws.com", "https://media.s3.eu-central-1.amazonaws.com/k"),
    ]

    @Test("A storage is made with the URL of a server", arguments: servers)
    func serverURL(server: String, url: String) async throws {
        let storage = try S3Storage(bucketName: "media", endpointURL: server, accessKeyID: "a", secretAccessKey: "b")
        #expect(try await storage.url(for: StorageName(validating: "k")) == url)
    }

    @Test(
        "An invalid server URL is refused with an example of a valid one",
        arguments: ["ftp://h", "https://", "https://u:hush@h", "https://h?q", "u:hush@h"]
    )
    func noServerURL(server: String) async throws {
        let error = await storageError { try S3Storage(bucketName: "media", endpointURL: server) }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.message.contains("endpointURL") == true)
        #expect(error?.message.contains("https://s3.example.org") == true)
        #expect(error?.message.contains("hush") == false)
    }
}
