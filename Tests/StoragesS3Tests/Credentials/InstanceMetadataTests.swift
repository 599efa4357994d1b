import Foundation
import Storages
import TestSupport
import Testing

@testable import StoragesHTTP
@testable import StoragesS3

@Suite("Instance metadata credentials")
struct InstanceMetadataTests {
    typealias Answer = ScriptedTransport.Answer
    let fixture: CredentialFixture
    static let json =
        #"{"Code":"Success","AccessKeyId":"K","SecretAccessKey":"s","Token":"t","Expiration":"2030-01-01T01:00:00Z"}"#
    static let set = S3Credentials(
        accessKeyID: "K",
        secretAccessKey: "s",
        sessionToken: "t",
        expiration: TestClock.start + 3600
    )

    init() throws {
        fixture = try CredentialFixture()
    }

    /// A service whose three answers can be replaced.
    static func service(
        token: @escaping @Sendable () throws -> Answer = { .ok("TOKEN==") },
        role: @escaping @Sendable () throws -> Answer = { .ok("the-role\n") },
        credentials: @escaping @Sendable () throws -> Answer = { .ok(json) }
    ) -> ScriptedTransport {
        ScriptedTransport { request in
            switch request.url.split(separator: "/", maxSplits: 2).last {
            case "latest/api/token" where request.method == .put: try token()
            case "latest/meta-data/iam/security-credentials/": try role()
            case "latest/meta-data/iam/security-credentials/the-role": try credentials()
            default: Answer(status: 404, body: "")
            }
        }
    }

    func credentials(
        _ transport: ScriptedTransport,
        _ variables: [String: String] = [:],
        _ options: S3InstanceMetadata = S3InstanceMetadata()
    ) async throws -> S3Credentials? {
        var context = fixture.context(variables, transport)
        context.instanceMetadata = options
        return try await InstanceMetadataProvider(context: context).credentials()
    }

    @Test("Instance metadata is requested with a token, without a proxy and with short timeouts")
    func requests() async throws {
        let transport = Self.service()
        #expect(try await credentials(transport, ["http_proxy": "http://proxy:3128"]) == Self.set)
        let requests = transport.requests
        #expect(
            requests.map(\.url) == [
                "http://169.254.169.254/latest/api/token",
                "http://169.254.169.254/latest/meta-data/iam/security-credentials/",
                "http://169.254.169.254/latest/meta-data/iam/security-credentials/the-role",
            ]
        )
        #expect(requests.map(\.method) == [.put, .get, .get])
        #expect(requests.map { $0.headers["x-aws-ec2-metadata-token"] } == [nil, "TOKEN==", "TOKEN=="])
        #expect(requests[0].headers["x-aws-ec2-metadata-token-ttl-seconds"] == "21600")
        #expect(requests.allSatisfy { $0.isDirect })
        #expect(requests.map(\.timeout) == [.seconds(1), .seconds(2), .seconds(2)])
    }

    @Test("The instance metadata endpoint comes from the option or the environment")
    func endpoints() async throws {
        func url(_ variables: [String: String], option: String? = nil) async throws -> String? {
            let transport = Self.service()
            _ = try await credentials(transport, variables, S3InstanceMetadata(endpointURL: option))
            return transport.requests.first?.url
        }
        let mode = "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"
        let endpoint = "AWS_EC2_METADATA_SERVICE_ENDPOINT"
        #expect(try await url([mode: "IPv6"]) == "http://[fd00:ec2::254]/latest/api/token")
        #expect(try await url([mode: "ipv4"]) == "http://169.254.169.254/latest/api/token")
        #expect(try await url([endpoint: "http://h:81/", mode: "IPv6"]) == "http://h:81/latest/api/token")
        #expect(try await url([endpoint: "http://h"], option: "http://o") == "http://o/latest/api/token")
        let mistake = await storageError { try await url([:], option: "o") as Any }
        #expect(mistake?.code == .invalidConfiguration)
        #expect(mistake?.message.contains("instanceMetadata.endpointURL") == true)
        for variables in [[mode: "IPv5"], [endpoint: "h"], ["AWS_EC2_METADATA_DISABLED": "maybe"]] {
            #expect(await storageError { try await url(variables) as Any }?.code == .invalidConfiguration)
        }
    }

    @Test("Instance metadata is not requested when it is disabled")
    func disabled() async throws {
        let transport = Self.service()
        #expect(try await credentials(transport, ["AWS_EC2_METADATA_DISABLED": "TRUE"]) == nil)
        #expect(try await credentials(transport, [:], S3InstanceMetadata(isDisabled: true)) == nil)
        #expect(transport.requests.isEmpty)
        #expect(try await credentials(transport, ["AWS_EC2_METADATA_DISABLED": "false"]) == Self.set)
    }

    @Test(
        "An error or incomplete document under status 200 gives no instance credentials",
        arguments: [
            #"{"Code":"AssumeRoleUnauthorizedAccess","Message":"EC2 cannot assume the role"}"#,
            #"{"Code":"Success","AccessKeyId":"K","SecretAccessKey":"s","Expiration":"hush"}"#,
            #"{"Code":"Success","AccessKeyId":"K"}"#, #"{"Code":"Success"}"#, "{}", "[]", "hush", "",
            #"{"Code":"Success","AccessKeyId":"K","SecretAccessKey":"s","Token":"a\nb"}"#,
            #"{"Code":"Failed","AccessKeyId":"K","SecretAccessKey":"s","Token":"t"}"#,
        ]
    )
    func errorsUnder200(_ body: String) async throws {
        let transport = Self.service(credentials: { .ok(body) })
        let error = try #require(await storageError { try await credentials(transport) })
        #expect(error.code == .unavailable)
        #expect(!error.description.contains("hush"))
        if body.contains("Unauthorized") {
            #expect(error.message.contains("\"AssumeRoleUnauthorizedAccess\": \"EC2 cannot assume the role\""))
        }
        #expect(transport.requests.count == 9)
    }

    @Test("Each of the three instance metadata requests is retried after a failure")
    func trouble() async throws {
        for step in 0..<3 {
            for isLost in [false, true] {
                let count = Counter()
                let answer: @Sendable (Int, Answer) throws -> Answer = { number, success in
                    guard number == step, count.next() < 3 else { return success }
                    if isLost { throw HTTPFailure(.timedOut, "Late.") }
                    return Answer(status: 503, body: "")
                }
                let transport = Self.service(
                    token: { try answer(0, .ok("TOKEN")) },
                    role: { try answer(1, .ok("the-role")) },
                    credentials: { try answer(2, .ok(Self.json)) }
                )
                #expect(try await credentials(transport) == Self.set, "step \(step)")
                #expect(count.value == 3)
            }
        }
    }

    @Test("A new instance metadata token is requested when the service rejects the old one")
    func staleToken() async throws {
        let tokens = Counter()
        let transport = Self.service(
            token: { .ok("TOKEN\(tokens.next())") },
            role: { tokens.value == 1 ? Answer(status: 401, body: "") : .ok("the-role") }
        )
        #expect(try await credentials(transport) == Self.set)
        #expect(transport.requests.last?.headers["x-aws-ec2-metadata-token"] == "TOKEN2")
    }

    @Test("Instance metadata without a valid role name or token gives no credentials")
    func roles() async throws {
        let none = Self.service(role: { Answer(status: 404, body: "") })
        #expect(await storageError { try await credentials(none) }?.code == .invalidConfiguration)
        for role in ["", "..", "a/../b", "a?b", "<html>", String(repeating: "a", count: 65)] {
            let transport = Self.service(role: { .ok(role) })
            #expect(await storageError { try await credentials(transport) }?.code == .unavailable)
            #expect(transport.requests.count == 6, "\(role)")
        }
        for token in ["", "a\r\nX: 1", "a b"] {
            let transport = Self.service(token: { .ok(token) })
            #expect(await storageError { try await credentials(transport) }?.code == .unavailable)
            #expect(transport.requests.count == 3, "\(token)")
        }
    }

    typealias Fallback = S3InstanceMetadata.VersionOneFallback

    struct Case: Sendable, CustomTestStringConvertible {
        /// Of the answer to the request for a token; `nil` when none comes.
        var status: Int?
        var fallback: Fallback
        var isTaken: Bool
        var variables: [String: String] = [:]
        var testDescription: String { "\(status.map(String.init) ?? "no answer"), \(fallback), \(variables)" }
    }

    @Test(
        "Instance metadata is requested without a token only where the fallback allows it",
        arguments: [
            Case(status: 404, fallback: .never, isTaken: false), Case(status: 405, fallback: .never, isTaken: false),
            Case(status: 403, fallback: .never, isTaken: false), Case(status: nil, fallback: .never, isTaken: false),
            Case(status: 404, fallback: .unlessForbidden, isTaken: true),
            Case(status: 405, fallback: .unlessForbidden, isTaken: true),
            Case(status: nil, fallback: .unlessForbidden, isTaken: true),
            Case(status: 403, fallback: .unlessForbidden, isTaken: false),
            Case(status: 403, fallback: .always, isTaken: true),
            Case(status: 400, fallback: .always, isTaken: false), Case(status: 500, fallback: .always, isTaken: false),
            Case(
                status: 404,
                fallback: .always,
                isTaken: false,
                variables: ["AWS_EC2_METADATA_V1_DISABLED": "true"]
            ),
        ]
    )
    func versionOne(_ example: Case) async throws {
        let transport = Self.service(token: {
            guard let status = example.status else { throw HTTPFailure(.timedOut, "Late.") }
            return Answer(status: status, body: "")
        })
        let options = S3InstanceMetadata(versionOneFallback: example.fallback)
        if example.isTaken {
            #expect(try await credentials(transport, example.variables, options) == Self.set)
            #expect(transport.requests.count == 3)
            #expect(transport.requests.allSatisfy { $0.headers["x-aws-ec2-metadata-token"] == nil })
        } else {
            #expect(await storageError { try await credentials(transport, example.variables, options) } != nil)
            #expect(transport.requests.allSatisfy { $0.method == .put })
        }
    }

    @Test("A redirect of the instance metadata service is not followed")
    func redirect() async throws {
        let transport = Self.service(role: { Answer(status: 302, body: "", headers: ["Location": "http://evil/"]) })
        #expect(await storageError { try await credentials(transport) }?.message.contains("redirect") == true)
        #expect(transport.requests.count == 2)
    }
}
