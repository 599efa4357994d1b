import Foundation
import NIOConcurrencyHelpers
import NIOCore
import Storages
import TestSupport
import Testing

@testable import StoragesHTTP
@testable import StoragesS3

@Suite("Credentials from STS")
struct SecurityTokenServiceTests {
    let fixture: CredentialFixture
    let variables: [String: String]

    init() throws {
        fixture = try CredentialFixture()
        let token = try fixture.write("hush.web.token", to: "token")
        variables = ["AWS_WEB_IDENTITY_TOKEN_FILE": token, "AWS_ROLE_ARN": "arn:aws:iam::1:role/web"]
    }

    func provider(_ transport: ScriptedTransport, _ more: [String: String] = [:]) -> WebIdentityProvider {
        WebIdentityProvider(context: fixture.context(variables.merging(more) { $1 }, transport))
    }

    static let success = STSDocument.credentials("AssumeRoleWithWebIdentity")

    @Test("A web identity request is unsigned and has its token in the body only")
    func request() async throws {
        let transport = ScriptedTransport { _ in .ok(Self.success) }
        let set = try await provider(transport, ["AWS_ROLE_SESSION_NAME": "pod-1"]).credentials()
        #expect(set?.accessKeyID == "ASIAROLE")
        #expect(set?.secretAccessKey == "role-secret")
        #expect(set?.expiration == TestClock.start + 3600)
        let request = try #require(transport.requests.first)
        #expect(request.url == "https://sts.us-east-1.amazonaws.com/")
        #expect(request.method == .post)
        #expect(request.headers["Content-Type"]?.hasPrefix("application/x-www-form-urlencoded") == true)
        #expect(request.headers["Host"] == "sts.us-east-1.amazonaws.com")
        #expect(request.headers["Authorization"] == nil)
        #expect(request.timeout != nil)
        #expect(!request.headers.fields.contains { $0.value.contains("hush") })
        #expect(
            request.form == [
                "Action": "AssumeRoleWithWebIdentity", "Version": "2011-06-15",
                "RoleArn": "arn:aws:iam::1:role/web", "RoleSessionName": "pod-1", "WebIdentityToken": "hush.web.token",
            ]
        )
        #expect(fixture.signed.withLockedValue { $0.isEmpty })
    }

    @Test("The web identity token is read from its file for each request")
    func rotation() async throws {
        let transport = ScriptedTransport { _ in .ok(Self.success) }
        let provider = provider(transport)
        _ = try await provider.credentials()
        try fixture.write("  another.token\n", to: "token")
        _ = try await provider.credentials()
        #expect(transport.requests.map { $0.form["WebIdentityToken"] } == ["hush.web.token", "another.token"])
    }

    struct Place: Sendable, CustomTestStringConvertible {
        var variables: [String: String]
        var region: String?
        var storageRegion: String?
        var option: String?
        var url: String?
        var testDescription: String { "\(variables) \(region ?? storageRegion ?? option ?? "")" }
    }

    @Test(
        "The STS endpoint comes from option, environment or region and requires TLS",
        arguments: [
            Place(variables: ["AWS_REGION": "eu-west-1"], url: "https://sts.eu-west-1.amazonaws.com/"),
            Place(variables: ["AWS_DEFAULT_REGION": "a"], url: "https://sts.a.amazonaws.com/"),
            Place(variables: ["AWS_REGION": "", "AWS_DEFAULT_REGION": "a"], url: "https://sts.a.amazonaws.com/"),
            Place(variables: ["AWS_REGION": "b"], region: "a", url: "https://sts.a.amazonaws.com/"),
            Place(variables: [:], region: "cn-north-1", url: "https://sts.cn-north-1.amazonaws.com.cn/"),
            Place(variables: [:], region: "eusc-de-east-1", url: "https://sts.eusc-de-east-1.amazonaws.eu/"),
            Place(variables: [:], region: "us-iso-east-1", url: "https://sts.us-iso-east-1.c2s.ic.gov/"),
            Place(variables: [:], region: "us-gov-west-1", url: "https://sts.us-gov-west-1.amazonaws.com/"),
            Place(variables: [:], region: "aws-global", url: "https://sts.us-east-1.amazonaws.com/"),
            Place(variables: ["AWS_REGION": "aws-global"], url: "https://sts.us-east-1.amazonaws.com/"),
            Place(variables: ["AWS_REGION": "EU-West-1"], url: "https://sts.eu-west-1.amazonaws.com/"),
            Place(variables: [:], storageRegion: "eu-north-1", url: "https://sts.eu-north-1.amazonaws.com/"),
            Place(
                variables: ["AWS_REGION": "eu-west-1"],
                storageRegion: "eu-north-1",
                url: "https://sts.eu-west-1.amazonaws.com/"
            ),
            Place(
                variables: ["AWS_ENDPOINT_URL_STS": "https://minio:9000"],
                option: "https://sts.internal/x",
                url: "https://sts.internal/x"
            ),
            Place(
                variables: [
                    "AWS_ENDPOINT_URL_STS": "https://minio:9000", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
                ],
                url: "https://sts.us-east-1.amazonaws.com/"
            ),
            Place(variables: ["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "maybe"]),
            Place(variables: [:], option: "http://sts.internal"),
            Place(variables: ["AWS_ENDPOINT_URL_STS": "https://minio:9000"], url: "https://minio:9000/"),
            Place(variables: ["AWS_ENDPOINT_URL_STS": "http://minio:9000"]),
            Place(variables: ["AWS_ENDPOINT_URL_STS": "https://u:p@minio"]),
            Place(variables: ["AWS_ENDPOINT_URL_STS": "minio"]),
            Place(variables: ["AWS_REGION": "evil.com/"]),
            Place(variables: ["AWS_REGION": "-a"]),
        ]
    )
    func endpoint(_ place: Place) async throws {
        let transport = ScriptedTransport { _ in .ok(Self.success) }
        var context = fixture.context(variables.merging(place.variables) { $1 }, transport)
        context.region = place.region.flatMap { Region($0) }
        context.storageRegion = place.storageRegion.flatMap { Region($0) }
        context.stsEndpointURL = place.option
        let provider = WebIdentityProvider(context: context)
        if let url = place.url {
            _ = try await provider.credentials()
            #expect(transport.requests.map(\.url) == [url])
        } else {
            #expect(await storageError { try await provider.credentials() }?.code == .invalidConfiguration)
            #expect(transport.requests.isEmpty)
        }
    }

    @Test(
        "An STS request is sent three times when the service fails",
        arguments: [
            ScriptedTransport.Answer(status: 400, body: STSDocument.error("IDPCommunicationError")),
            ScriptedTransport.Answer(status: 400, body: STSDocument.error("Throttling")),
            ScriptedTransport.Answer(status: 500, body: STSDocument.error("InternalFailure")),
            ScriptedTransport.Answer(status: 503, body: "<html>"),
            ScriptedTransport.Answer(status: 429, body: ""),
        ]
    )
    func trouble(_ answer: ScriptedTransport.Answer) async throws {
        let transport = ScriptedTransport { _ in answer }
        #expect(await storageError { try await provider(transport).credentials() }?.code == .unavailable)
        #expect(transport.requests.count == 3)

        let count = Counter()
        let recovering = ScriptedTransport { _ in count.next() < 3 ? answer : .ok(Self.success) }
        #expect(try await provider(recovering).credentials()?.accessKeyID == "ASIAROLE")
        #expect(fixture.pauses.withLockedValue { $0.count } == 4)
    }

    struct Refusal: Sendable, CustomTestStringConvertible {
        var answer: ScriptedTransport.Answer
        var code: StorageError.Code
        init(_ status: Int, _ body: String, _ code: StorageError.Code) {
            answer = ScriptedTransport.Answer(status: status, body: body)
            self.code = code
        }
        var testDescription: String { "\(answer.status) \(answer.body.prefix(60))" }
    }

    @Test(
        "An STS refusal is not retried, and the error does not show the token",
        arguments: [
            Refusal(403, STSDocument.error("AccessDenied", "not hush.web.token"), .permissionDenied),
            Refusal(400, STSDocument.error("ExpiredTokenException"), .permissionDenied),
            Refusal(400, STSDocument.error("ValidationError"), .invalidConfiguration),
            Refusal(200, STSDocument.error("AccessDenied"), .permissionDenied),
            Refusal(307, "", .unavailable),
            Refusal(404, "<html>", .unavailable),
            Refusal(200, "hush", .unavailable),
            Refusal(200, STSDocument.credentials("AssumeRole", expiration: "hush"), .unavailable),
            Refusal(200, STSDocument.credentials("AssumeRole", key: "a\tb"), .unavailable),
            Refusal(200, String(repeating: "x", count: 65_537), .unavailable),
        ]
    )
    func refusals(_ refusal: Refusal) async throws {
        let transport = ScriptedTransport { _ in refusal.answer }
        let error = try #require(await storageError { try await provider(transport).credentials() })
        #expect(error.code == refusal.code, "\(error)")
        #expect(!error.description.contains("hush"), "\(error)")
        #expect(transport.requests.count == 1)
    }

    @Test("An incomplete web identity configuration or an invalid token is refused")
    func mistakes() async throws {
        let transport = ScriptedTransport { _ in .ok(Self.success) }
        func error(_ variables: [String: String]) async -> StorageError? {
            let context = fixture.context(variables, transport)
            return await storageError { try await WebIdentityProvider(context: context).credentials() }
        }
        let path = try #require(variables["AWS_WEB_IDENTITY_TOKEN_FILE"])
        #expect(await error(["AWS_WEB_IDENTITY_TOKEN_FILE": path])?.code == .invalidConfiguration)
        for token in ["", " \n", "hush\r\nX: 1", "hush\u{0}", "hüsh"] {
            try fixture.write(token, to: "token")
            let failure = await error(variables)
            #expect(failure?.code == .invalidConfiguration)
            #expect(failure?.description.contains("hush") == false)
        }
        try fixture.write(String(repeating: "x", count: 65_537), to: "token")
        #expect(await error(variables)?.code == .invalidConfiguration)
        try FileManager.default.removeItem(atPath: path)
        #expect(await error(variables)?.code == .invalidConfiguration)
        #expect(transport.requests.isEmpty)
        let roleOnly = fixture.context(["AWS_ROLE_ARN": "arn:aws:iam::1:role/web"], transport)
        #expect(try await WebIdentityProvider(context: roleOnly).credentials() == nil)
    }

    @Test("Every attempt to assume a role is signed anew")
    func signing() async throws {
        let transport = ScriptedTransport { _ in ScriptedTransport.Answer(status: 500, body: "") }
        let keys = S3Credentials(accessKeyID: "BASE", secretAccessKey: "s")
        let provider = AssumeRoleProvider(
            context: fixture.context([:], transport),
            role: try AssumedRole(arn: "arn:aws:iam::1:role/r"),
            source: StaticCredentialProvider(keys),
            sourceName: "the test"
        )
        #expect(await storageError { try await provider.credentials() }?.code == .unavailable)
        #expect(fixture.signed.withLockedValue { $0.count } == 3)
        #expect(transport.requests.allSatisfy { $0.headers["Authorization"] == "AWS4 BASE" })
    }

    @Test("STS errors are read in both of their forms")
    func errors() throws {
        let flat = try STSResponse(ByteBuffer(string: "<Error><Code>A</Code></Error>"))
        #expect(flat == .failure(code: "A", message: ""))
        let nested = try STSResponse(ByteBuffer(string: STSDocument.error("B", "m")))
        #expect(nested == .failure(code: "B", message: "m"))
    }
}
