import Foundation
import NIOConcurrencyHelpers
import Storages
import TestSupport
import Testing

@testable import StoragesHTTP
@testable import StoragesS3

@Suite("Container credentials")
struct ContainerProviderTests {
    let fixture: CredentialFixture
    static let json =
        #"{"RoleArn":"r","AccessKeyId":"K","SecretAccessKey":"s","Token":"t","Expiration":"2030-01-01T01:00:00Z"}"#
    static let set = S3Credentials(
        accessKeyID: "K",
        secretAccessKey: "s",
        sessionToken: "t",
        expiration: TestClock.start + 3600
    )

    init() throws {
        fixture = try CredentialFixture()
    }

    static func serving() -> ScriptedTransport { ScriptedTransport { _ in .ok(Self.json) } }

    func provider(_ variables: [String: String], _ transport: ScriptedTransport) -> ContainerProvider {
        ContainerProvider(context: fixture.context(variables, transport))
    }

    @Test("Container credentials at a relative path are requested from the ECS agent without a proxy")
    func relative() async throws {
        let transport = Self.serving()
        let variables = [
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials/1?x=y",
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://10.0.0.1/",
            "http_proxy": "http://proxy:3128",
        ]
        #expect(try await provider(variables, transport).credentials() == Self.set)
        let request = try #require(transport.requests.first)
        #expect(request.url == "http://169.254.170.2/v2/credentials/1?x=y")
        #expect(request.method == .get)
        #expect(request.headers["Host"] == "169.254.170.2")
        #expect(request.headers["Authorization"] == nil)
        #expect(request.isDirect)
        #expect(request.timeout == .seconds(2))
        #expect(try await provider([:], transport).credentials() == nil)
    }

    @Test(
        "A container credentials URL may have TLS, a loopback host or an agent of ECS or EKS",
        arguments: [
            ("https://agent.example/c", "https://agent.example/c"),
            ("https://10.0.0.1:8443/c?d", "https://10.0.0.1:8443/c?d"),
            ("HTTPS://agent.example", "https://agent.example/"),
            ("http://127.0.0.1/c", "http://127.0.0.1/c"),
            ("http://127.8.9.1:51679/c", "http://127.8.9.1:51679/c"),
            ("http://[::1]:80/c", "http://[::1]/c"),
            ("http://[::ffff:127.0.0.1]/c", "http://[::ffff:127.0.0.1]/c"),
            ("http://169.254.170.2/c", "http://169.254.170.2/c"),
            ("http://169.254.170.23/v1/credentials", "http://169.254.170.23/v1/credentials"),
            ("http://[fd00:ec2::23]/v1/credentials", "http://[fd00:ec2::23]/v1/credentials"),
        ]
    )
    func accepted(_ given: String, _ sent: String) async throws {
        let transport = Self.serving()
        let provider = provider(["AWS_CONTAINER_CREDENTIALS_FULL_URI": given], transport)
        #expect(try await provider.credentials() == Self.set)
        #expect(transport.requests.map(\.url) == [sent])
        #expect(transport.requests.allSatisfy { $0.isDirect })
    }

    @Test("Container credentials are requested from the resolved address of localhost")
    func localhost() async throws {
        let transport = Self.serving()
        let variables = ["AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://localhost:1234/c"]
        #expect(try await provider(variables, transport).credentials() == Self.set)
        let request = try #require(transport.requests.first)
        #expect(["http://127.0.0.1:1234/c", "http://[::1]:1234/c"].contains(request.url))
        #expect(request.headers["Host"] == "localhost:1234")
    }

    @Test(
        "A container credentials URL without TLS is refused for any other host",
        arguments: [
            "http://169.254.169.254/c", "http://10.0.0.1/c", "http://127.0.0.1.evil.tld/c", "http://[fd00:ec2::254]/c",
            "http://[::ffff:10.0.0.1]/c", "http://0.0.0.0/c", "http://[::]/c", "http://169.254.170.3/c",
            "http://localhost.evil.tld/c", "http://128.0.0.1/c",
        ]
    )
    func refused(_ url: String) async throws {
        let transport = Self.serving()
        let error = await storageError {
            try await provider(["AWS_CONTAINER_CREDENTIALS_FULL_URI": url], transport).credentials()
        }
        // The name service may not know the names in .tld, which is an answer, too.
        #expect(error?.code == .invalidConfiguration || url.contains("tld") && error?.code == .unavailable)
        #expect(transport.requests.isEmpty)
    }

    @Test("A container credentials URL is refused when one address of its host is not trusted")
    func resolved() async throws {
        let transport = Self.serving()
        for (addresses, isTrusted) in [
            (["203.0.113.9"], false), (["127.0.0.1", "203.0.113.9"], false), (["::1", "fe80::1"], false), ([], false),
            (["127.0.0.1"], true), (["::1", "127.0.0.1"], true),
        ] {
            var context = fixture.context(
                ["AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1.evil.tld/c"],
                transport
            )
            context.resolveHost = { _ in addresses.compactMap(HostAddress.init(literal:)) }
            let provider = ContainerProvider(context: context)
            if isTrusted {
                #expect(try await provider.credentials() == Self.set)
            } else {
                #expect(await storageError { try await provider.credentials() }?.code == .invalidConfiguration)
            }
        }
        #expect(transport.requests.map(\.url) == ["http://127.0.0.1/c", "http://[::1]/c"])
    }

    @Test("Container credentials are requested from the next address when the first one fails")
    func addresses() async throws {
        let transport = ScriptedTransport { request in
            guard request.url.contains("127.0.0.1") else { throw HTTPFailure(.notConnected, "Refused.") }
            return .ok(Self.json)
        }
        var context = fixture.context(["AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://agent/c"], transport)
        context.resolveHost = { _ in ["::1", "127.0.0.1"].compactMap(HostAddress.init(literal:)) }
        #expect(try await ContainerProvider(context: context).credentials() == Self.set)
        #expect(fixture.pauses.withLockedValue { $0.isEmpty })
    }

    @Test(
        "A malformed or misleading container credentials URL is refused",
        arguments: [
            "ftp://127.0.0.1/", "127.0.0.1/c", "http://", "http:///c", "http://a@127.0.0.1/c",
            "http://127.0.0.1@evil/c",
            "http://127.0.0.1#@evil/", "http://127.0.0.1\\@evil/", "http://127.0.0.1/\r\nX: 1", "http://127.0.0.1/a b",
            "http://127.0.0.1:0/", "http://127.0.0.1:65536/", "http://127.0.0.1:+80/", "http://127.0.0.1:/",
            "http://[::1/c",
            "http://[::1]x/c", "http://[127.0.0.1]/", "http://%31/c", "http://lo\u{0131}/c", "http://::1/",
        ]
    )
    func malformed(_ url: String) async throws {
        let transport = Self.serving()
        let provider = provider(["AWS_CONTAINER_CREDENTIALS_FULL_URI": url], transport)
        #expect(await storageError { try await provider.credentials() }?.code == .invalidConfiguration)
        #expect(transport.requests.isEmpty)
    }

    @Test(
        "A malformed relative path of container credentials is refused",
        arguments: ["x", "@evil/x", ".evil.tld/", "/a\r\nX: 1", "/#x"]
    )
    func relativeMistakes(_ path: String) async throws {
        let transport = Self.serving()
        let provider = provider(["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": path], transport)
        #expect(await storageError { try await provider.credentials() }?.code == .invalidConfiguration)
        #expect(transport.requests.isEmpty)
    }

    @Test("The token file for container credentials is read each time and wins over the variable")
    func token() async throws {
        let path = try fixture.write("first", to: "token")
        let transport = Self.serving()
        let uri = ["AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.23/v1/credentials"]
        let variables = [
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": path, "AWS_CONTAINER_AUTHORIZATION_TOKEN": "Basic variable",
        ].merging(uri) { $1 }
        let provider = provider(variables, transport)
        _ = try await provider.credentials()
        try fixture.write("second", to: "token")
        _ = try await provider.credentials()
        let plain = ["AWS_CONTAINER_AUTHORIZATION_TOKEN": "Basic variable"].merging(uri) { $1 }
        _ = try await self.provider(plain, transport).credentials()
        #expect(transport.requests.map { $0.headers["Authorization"] } == ["first", "second", "Basic variable"])
    }

    @Test(
        "A missing or malformed token for container credentials is refused and not shown",
        arguments: ["hush\r\nX: 1", "hush\n", "hush\u{0}", "hüsh"]
    )
    func tokenMistakes(_ token: String) async throws {
        let path = try fixture.write(token, to: "token")
        let transport = Self.serving()
        let uri = ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/c"]
        for variables in [
            ["AWS_CONTAINER_AUTHORIZATION_TOKEN": token], ["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": path],
            ["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": path + "-gone"],
        ] {
            let provider = provider(variables.merging(uri) { $1 }, transport)
            let error = try #require(await storageError { try await provider.credentials() })
            #expect(error.code == .invalidConfiguration)
            #expect(!error.description.contains("hush"))
        }
        #expect(transport.requests.isEmpty)
    }

    @Test("Container credentials are requested three times, a second apart, when the agent fails")
    func trouble() async throws {
        let uri = ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/c"]
        let failures: [@Sendable () throws -> ScriptedTransport.Answer] = [
            { throw HTTPFailure(.timedOut, "Late.") },
            { throw HTTPFailure(.notConnected, "Refused.") },
            { ScriptedTransport.Answer(status: 500, body: #"{"code":"X","message":"y"}"#) },
            { .ok(#"{"AccessKeyId":"K""#) },
            { .ok(#"{"AccessKeyId":"K","SecretAccessKey":""}"#) },
            { .ok(#"{"code":"X","message":"y"}"#) },
        ]
        for failure in failures {
            let count = Counter()
            let transport = ScriptedTransport { _ in count.next() < 3 ? try failure() : .ok(Self.json) }
            #expect(try await provider(uri, transport).credentials() == Self.set)
            let broken = ScriptedTransport { _ in try failure() }
            #expect(await storageError { try await provider(uri, broken).credentials() }?.code == .unavailable)
            #expect(broken.requests.count == 3)
        }
        #expect(fixture.pauses.withLockedValue { $0 } == Array(repeating: .seconds(1), count: failures.count * 4))
    }

    @Test("A refusal of the container agent is not retried, and a redirect is not followed")
    func refusals() async throws {
        let uri = ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/c"]
        for (status, code) in [
            (403, .permissionDenied), (401, .permissionDenied), (400, .unavailable), (307, .unavailable),
        ] as [(Int, StorageError.Code)] {
            let transport = ScriptedTransport { _ in
                let location: HTTPHeaders = ["Location": "http://169.254.169.254/"]
                let body = #"{"code":"Nope","message":"because"}"#
                return ScriptedTransport.Answer(status: status, body: body, headers: location)
            }
            let error = try #require(await storageError { try await provider(uri, transport).credentials() })
            #expect(error.code == code)
            #expect(error.message.contains("\"Nope\": \"because\""))
            #expect(transport.requests.count == 1)
        }
    }

    @Test("A container credentials response of more than 64 KiB is refused")
    func size() async throws {
        let transport = ScriptedTransport { _ in .ok(Self.json + String(repeating: " ", count: 65_536)) }
        let provider = provider(["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/c"], transport)
        #expect(await storageError { try await provider.credentials() }?.code == .unavailable)
        #expect(transport.requests.count == 1)
    }
}
