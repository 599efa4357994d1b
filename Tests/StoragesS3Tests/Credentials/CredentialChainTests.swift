import NIOConcurrencyHelpers
import NIOCore
import Storages
import TestSupport
import Testing

@testable import StoragesHTTP
@testable import StoragesS3

/// Does what a test says.
struct ScriptedProvider: S3CredentialProvider {
    var body: @Sendable () async throws -> S3Credentials?

    init(_ body: @escaping @Sendable () async throws -> S3Credentials?) {
        self.body = body
    }

    func credentials() async throws -> S3Credentials? { try await body() }
}

@Suite("The chain of credential providers")
struct CredentialChainTests {
    let fixture: CredentialFixture

    init() throws {
        fixture = try CredentialFixture()
    }

    static let service = ScriptedTransport { request in
        if request.url.contains("sts") { return .ok(STSDocument.credentials("AssumeRoleWithWebIdentity", key: "WEB")) }
        if request.url.contains("170.2") { return .ok(#"{"AccessKeyId":"CONTAINER","SecretAccessKey":"s"}"#) }
        return try await InstanceMetadataTests.service().answerForTest(request)
    }

    @Test("Environment, web identity, profile, container and instance metadata are tried in order")
    func order() async throws {
        let token = try fixture.write("t", to: "token")
        try fixture.write("[default]\naws_access_key_id=PROFILE\naws_secret_access_key=s", to: "profiles")
        var variables = [
            "AWS_ACCESS_KEY_ID": "ENV", "AWS_SECRET_ACCESS_KEY": "s",
            "AWS_WEB_IDENTITY_TOKEN_FILE": token, "AWS_ROLE_ARN": "arn:aws:iam::1:role/r",
            "AWS_SHARED_CREDENTIALS_FILE": "~/profiles",
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/c",
        ]
        func key(loadsProfiles: Bool = true) async throws -> String? {
            let chain = try CredentialChain(fixture.context(variables, Self.service), loadsProfiles: loadsProfiles)
            return try await chain.credentials()?.accessKeyID
        }
        #expect(try await key() == "ENV")
        variables["AWS_ACCESS_KEY_ID"] = nil
        variables["AWS_SECRET_ACCESS_KEY"] = nil
        #expect(try await key() == "WEB")
        variables["AWS_WEB_IDENTITY_TOKEN_FILE"] = nil
        #expect(try await key() == "PROFILE")
        #expect(try await key(loadsProfiles: false) == "CONTAINER")
        variables["AWS_SHARED_CREDENTIALS_FILE"] = nil
        #expect(try await key() == "CONTAINER")
        variables["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = nil
        #expect(try await key() == "K")
    }

    @Test("Key options and a profile option win over the environment and exclude each other")
    func options() async throws {
        try fixture.write("[p]\naws_access_key_id=PROFILE\naws_secret_access_key=s", to: ".aws/credentials")
        let context = fixture.context(["AWS_ACCESS_KEY_ID": "ENV", "AWS_SECRET_ACCESS_KEY": "s"])
        func provider(key: String? = nil, secret: String? = nil, profile: String? = nil, loads: Bool = true) throws
            -> any S3CredentialProvider
        {
            try CredentialChain.provider(
                accessKeyID: key,
                secretAccessKey: secret,
                sessionToken: nil,
                profile: profile,
                loadsProfiles: loads,
                in: context
            )
        }
        #expect(try await provider(profile: "p").credentials()?.accessKeyID == "PROFILE")
        #expect(try await provider(key: "OPTION", secret: "s").credentials()?.accessKeyID == "OPTION")
        #expect(try await provider().credentials()?.accessKeyID == "ENV")
        for error in [
            await storageError { try provider(key: "OPTION", secret: "s", profile: "p") as Any },
            await storageError { try provider(key: "OPTION") as Any },
            await storageError { try provider(profile: "p", loads: false) as Any },
        ] {
            #expect(error?.code == .invalidConfiguration)
        }
    }

    @Test("The error lists what each credential provider reported when none has credentials")
    func nothing() async throws {
        let chain = try CredentialChain(fixture.context())
        let error = try #require(await storageError { try await chain.credentials() })
        #expect(error.code == .unavailable)
        for part in [
            "environment: AWS_ACCESS_KEY_ID", "web identity: AWS_WEB_IDENTITY_TOKEN_FILE", "profile: no profile",
            "container: AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
            "instance metadata: the instance metadata service gave",
            "Nobody is there.",
        ] {
            #expect(error.message.contains(part), "\(error.message)")
        }
        let off = try CredentialChain(fixture.context(["AWS_EC2_METADATA_DISABLED": "true"]))
        let second = try #require(await storageError { try await off.credentials() })
        #expect(second.code == .invalidConfiguration)
        #expect(second.message.contains("instance metadata: it is switched off"))
    }

    @Test("Unreadable default profile files do not stop the chain of credential providers")
    func forbiddenProfiles() async throws {
        try fixture.forbid(".aws/credentials")
        let chain = try CredentialChain(
            fixture.context(["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/c"], Self.service)
        )
        #expect(try await chain.credentials()?.accessKeyID == "CONTAINER")
    }

    @Test("The chain does not skip a credential provider that is configured and fails")
    func failure() async throws {
        for (variables, part) in [
            (["AWS_ACCESS_KEY_ID": "half"], "no secret access key"),
            (["AWS_PROFILE": "gone"], "\"gone\""),
            (["AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://10.0.0.1/"], "10.0.0.1"),
        ] {
            let transport = InstanceMetadataTests.service()
            let chain = try CredentialChain(fixture.context(variables, transport))
            let error = try #require(await storageError { try await chain.credentials() })
            #expect(error.code == .invalidConfiguration)
            #expect(error.message.contains(part))
            #expect(transport.requests.isEmpty)
        }
    }

    @Test("The chain stays with the first provider that had credentials")
    func staying() async throws {
        let isThere = NIOLockedValueBox(true)
        let calls = Counter()
        let first = ScriptedProvider {
            isThere.withLockedValue { $0 } ? S3Credentials(accessKeyID: "A", secretAccessKey: "s") : nil
        }
        let second = ScriptedProvider {
            calls.next()
            return S3Credentials(accessKeyID: "B", secretAccessKey: "s")
        }
        let chain = CredentialChain([
            CredentialChain.Link(name: "first", absence: "-", provider: first),
            CredentialChain.Link(name: "second", absence: "-", provider: second),
        ])
        #expect(try await chain.credentials()?.accessKeyID == "A")
        isThere.withLockedValue { $0 = false }
        #expect(await storageError { try await chain.credentials() }?.code == .unavailable)
        #expect(calls.value == 0)
    }
}

extension ScriptedTransport {
    /// The answer as a script of another transport returns it.
    func answerForTest(_ request: HTTPRequest) async throws -> Answer {
        let answer = try await collect(request, upTo: 1 << 20)
        return Answer(status: answer.status, body: String(buffer: answer.body))
    }
}
