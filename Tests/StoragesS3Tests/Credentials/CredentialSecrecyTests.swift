import Foundation
import Logging
import NIOCore
import Platform
import Storages
import Testing

@testable import StoragesHTTP
@testable import StoragesS3

/// A provider of an application, which shows all it has.
private struct TalkativeProvider: S3CredentialProvider {
    let secret: String

    func credentials() async throws -> S3Credentials? { nil }
}

@Suite("Secrets of credentials")
struct CredentialSecrecyTests {
    static let secret = "hush-hush-secret"

    static func holders() throws -> [(String, Any)] {
        let fixture = try CredentialFixture()
        let set = S3Credentials(accessKeyID: "AKIAEXAMPLE", secretAccessKey: secret, sessionToken: secret + "-token")
        let context = fixture.context([
            "AWS_SECRET_ACCESS_KEY": secret, "AWS_CONTAINER_AUTHORIZATION_TOKEN": secret,
        ])
        let file = try ProfileFile(
            parsing: "[a]\naws_access_key_id = k\naws_secret_access_key = \(secret)\n[b]\nx =\n  y = \(secret)",
            as: .credentials,
            at: "f"
        )
        let profiles = Profiles(credentials: file, config: ProfileFile())
        let role = try AssumedRole(arn: "arn:aws:iam::1:role/r")
        let statics = StaticCredentialProvider(set)
        let json = "{\"AccessKeyId\":\"k\",\"SecretAccessKey\":\"\(secret)\"}"
        var bytes = Array(json.utf8)
        let url = try ServiceURL("https://h/\(secret)?\(secret)", from: "test")
        var options = S3Options()
        options.sessionToken = secret
        options.proxy = "http://user:\(secret)@proxy.internal:3128"
        options.defaultHeaders = ["X-Api-Key": secret]
        options.assumedRole = S3AssumedRole(arn: "arn:aws:iam::1:role/r", externalID: secret)
        options.credentialProvider = TalkativeProvider(secret: secret)
        options.cloudFront = CloudFrontKey(keyID: "K", privateKey: secret)
        options.objectParameters.encryption = .customerKey(try S3CustomerKey(Array((secret + secret).utf8.prefix(32))))
        var setup = ScriptedBucket.setup(endpoint: "s3.example.org") {
            $0.proxy = "http://user:\(secret)@proxy.internal:3128"
            $0.sessionToken = secret
        }
        setup.secretAccessKey = secret
        var connections = CurlSettings()
        connections.proxy = "http://user:\(secret)@proxy.internal:3128"
        return [
            ("S3Options", options),
            ("S3AssumedRole", options.assumedRole as Any),
            ("AssumedRole", try AssumedRole(arn: "a", externalID: secret)),
            ("S3Setup", setup),
            ("CurlSettings", connections),
            ("S3Storage", try S3Storage(setup, transport: ScriptedTransport.unreachable)),
            ("S3Credentials", set),
            ("array", [set]),
            ("STSResponse", STSResponse.credentials(set)),
            ("EnvironmentVariables", context.environment),
            ("CredentialContext", context),
            ("StaticCredentialProvider", statics),
            ("EnvironmentCredentialProvider", EnvironmentCredentialProvider(environment: context.environment)),
            ("ProfileFile", file),
            ("Section", file.profiles["a"] as Any),
            ("Profiles", profiles),
            ("Profile", try profiles.profile("a") as Any),
            ("ProfileCredentialProvider", ProfileCredentialProvider(context: context)),
            ("ProcessCredentialProvider", ProcessCredentialProvider(command: secret, environment: context.environment)),
            ("Output", ChildProcess.Output(bytes: Array(secret.utf8), ending: .exited(0))),
            ("CredentialDocument", try CredentialDocument.read(wiping: &bytes, from: "test")),
            ("AssumeRoleProvider", AssumeRoleProvider(context: context, role: role, source: statics, sourceName: "s")),
            ("WebIdentityProvider", WebIdentityProvider(context: context)),
            ("ContainerProvider", ContainerProvider(context: context)),
            ("InstanceMetadataProvider", InstanceMetadataProvider(context: context)),
            ("STSClient", STSClient(context: context, endpoint: url, region: .usEast1)),
            ("CredentialChain", try CredentialChain(context)),
            ("CredentialCache", CredentialCache(statics, logger: Logger(label: "test"))),
            ("ServiceURL", url),
        ]
    }

    @Test("No description or dump of a type that holds a credential shows its secrets")
    func descriptions() throws {
        for (name, holder) in try Self.holders() {
            var dumped = ""
            dump(holder, to: &dumped)
            for text in [String(describing: holder), String(reflecting: holder), dumped] {
                // As text, and as the numbers of the bytes.
                #expect(!text.contains("hush"), "\(name): \(text)")
                #expect(!text.contains("104, 117, 115, 104"), "\(name)")
            }
        }
    }

    @Test("The dump of S3 options omits secrets but shows what helps to find a mistake")
    func harmless() {
        var options = S3Options()
        options.proxy = "http://proxy.internal"
        options.defaultHeaders = ["X-Api-Key": "hush"]
        options.userAgent = "app/1"
        options.assumedRole = S3AssumedRole(arn: "arn:aws:iam::1:role/r", sessionName: "app")
        var dumped = ""
        dump(options, to: &dumped)
        for part in ["X-Api-Key", "app/1", "arn:aws:iam::1:role/r", "sessionToken: \"none\"", "proxy: \"…\""] {
            #expect(dumped.contains(part), "\(part): \(dumped)")
        }
    }

    @Test("The credential cache does not show the credentials that it has fetched")
    func fetched() async throws {
        let set = S3Credentials(accessKeyID: "AKIAEXAMPLE", secretAccessKey: Self.secret)
        let cache = CredentialCache(StaticCredentialProvider(set), logger: Logger(label: "test"))
        #expect(try await cache.credentials() == set)
        var dumped = ""
        dump(cache, to: &dumped)
        #expect(!(dumped + String(reflecting: cache)).contains("hush"))
    }

    @Test("Wiping overwrites the bytes of arrays and buffers")
    func wiping() {
        var bytes = Array("secret".utf8)
        bytes.reserveCapacity(64)
        bytes.withUnsafeMutableBytes { _ in }
        bytes.wipe()
        #expect(bytes.isEmpty)

        var buffer = ByteBuffer(string: "secret")
        let size = buffer.readableBytes
        buffer.wipe()
        #expect(buffer.readableBytes == 0)
        // The storage is still there, and holds zeros.
        buffer.moveWriterIndex(to: size)
        #expect(Array(buffer.readableBytesView) == [0, 0, 0, 0, 0, 0])
    }
}
