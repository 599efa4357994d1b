import Foundation
import NIOConcurrencyHelpers
import Storages
import TestSupport
import Testing

@testable import StoragesHTTP
@testable import StoragesS3

@Suite("Credentials of profiles")
struct ProfileCredentialTests {
    let fixture: CredentialFixture

    init() throws {
        fixture = try CredentialFixture()
    }

    func credentials(
        _ profile: String? = nil,
        _ variables: [String: String] = [:],
        _ transport: ScriptedTransport = .unreachable
    ) async throws -> S3Credentials? {
        let context = fixture.context(variables, transport)
        return try await ProfileCredentialProvider(context: context, profile: profile).credentials()
    }

    @Test("The credentials file wins over the config file for the chosen profile")
    func keys() async throws {
        try fixture.write(
            """
            [default]
            aws_access_key_id = D
            aws_secret_access_key = d
            [both]
            aws_access_key_id = B
            aws_secret_access_key = b
            """,
            to: ".aws/credentials"
        )
        try fixture.write(
            """
            [profile both]
            aws_access_key_id = X
            aws_secret_access_key = x
            aws_session_token = not-theirs
            [profile config]
            aws_access_key_id = C
            aws_secret_access_key = c
            aws_session_token = t
            """,
            to: ".aws/config"
        )
        let config = S3Credentials(accessKeyID: "C", secretAccessKey: "c", sessionToken: "t")
        #expect(try await credentials()?.accessKeyID == "D")
        #expect(try await credentials("both") == S3Credentials(accessKeyID: "B", secretAccessKey: "b"))
        #expect(try await credentials(nil, ["AWS_PROFILE": "config", "AWS_DEFAULT_PROFILE": "both"]) == config)
        #expect(try await credentials(nil, ["AWS_DEFAULT_PROFILE": "config"]) == config)
        #expect(try await credentials("both", ["AWS_PROFILE": "config"])?.accessKeyID == "B")
        let other = try fixture.write("[default]\naws_access_key_id=O\naws_secret_access_key=o", to: "other")
        #expect(try await credentials(nil, ["AWS_SHARED_CREDENTIALS_FILE": other])?.accessKeyID == "O")
        #expect(try await credentials(nil, ["AWS_SHARED_CREDENTIALS_FILE": "~/other"])?.accessKeyID == "O")
        #expect(try await credentials(nil, ["AWS_SHARED_CREDENTIALS_FILE": "/dev/null"]) == nil)
    }

    @Test("Profile files are read again each time credentials are requested")
    func rotation() async throws {
        let provider = ProfileCredentialProvider(context: fixture.context(), profile: nil)
        #expect(try await provider.credentials() == nil)
        for key in ["A", "B"] {
            try fixture.write("[default]\naws_access_key_id=\(key)\naws_secret_access_key=s", to: ".aws/credentials")
            #expect(try await provider.credentials()?.accessKeyID == key)
        }
    }

    @Test("A missing profile is an error that says where its name came from")
    func missing() async throws {
        try fixture.write("[default]\naws_access_key_id = D\naws_secret_access_key = d", to: ".aws/credentials")
        for (profile, variables, source) in [
            ("gone", [:], "an option"),
            (nil, ["AWS_PROFILE": "gone"], "AWS_PROFILE"),
            (nil, ["AWS_DEFAULT_PROFILE": "gone"], "AWS_DEFAULT_PROFILE"),
        ] as [(String?, [String: String], String)] {
            let error = try #require(await storageError { try await credentials(profile, variables) })
            #expect(error.code == .invalidConfiguration)
            #expect(error.message.contains("\"gone\", named by \(source)"))
        }
        // One that is there without credentials is no mistake: it may give only a region.
        try fixture.write("[profile region]\nregion = r", to: ".aws/config")
        #expect(try await credentials("region") == nil)
    }

    @Test("Profile credentials may come from a credential process")
    func process() async throws {
        let program = try fixture.script(#"echo '{"Version":1,"AccessKeyId":"'$1'","SecretAccessKey":"s"}'"#)
        try fixture.write("[profile p]\ncredential_process = /bin/sh '\(program)' \"A B\"x\\ y", to: ".aws/config")
        // The blank makes the key one that cannot be sent, which shows that it came through as one argument.
        let error = try #require(await storageError { try await credentials("p") })
        #expect(error.message.contains("access key ID"))
        try fixture.write("[profile p]\ncredential_process = /bin/sh \(program) A\"B\"'C'\\D", to: ".aws/config")
        #expect(try await credentials("p")?.accessKeyID == "ABCD")
    }

    @Test("A profile's role is assumed with its source profile, which may itself have a role")
    func roles() async throws {
        try fixture.write("[base]\naws_access_key_id = BASE\naws_secret_access_key = s", to: ".aws/credentials")
        try fixture.write(
            """
            [profile base]
            region = eu-central-1
            [profile middle]
            role_arn = arn:aws:iam::1:role/middle
            source_profile = base
            region = cn-north-1
            [profile outer]
            role_arn = arn:aws:iam::1:role/outer
            source_profile = middle
            role_session_name = me@here
            external_id = a b&c=d
            duration_seconds = 900
            region = eu-west-1
            """,
            to: ".aws/config"
        )
        let transport = ScriptedTransport { request in
            let role = request.form["RoleArn"]?.split(separator: "/").last.map(String.init) ?? "none"
            return .ok(STSDocument.credentials("AssumeRole", key: "ASIA" + role))
        }
        let set = try #require(try await credentials("outer", [:], transport))
        #expect(set.accessKeyID == "ASIAouter")
        #expect(set.sessionToken == "role-token")
        #expect(set.expiration == TestClock.start + 3600)
        #expect(
            transport.requests.map(\.url) == [
                "https://sts.cn-north-1.amazonaws.com.cn/", "https://sts.eu-west-1.amazonaws.com/",
            ]
        )
        #expect(transport.requests.last?.method == .post)
        let form = try #require(transport.requests.last?.form)
        #expect(
            form == [
                "Action": "AssumeRole", "Version": "2011-06-15", "RoleArn": "arn:aws:iam::1:role/outer",
                "RoleSessionName": "me@here", "ExternalId": "a b&c=d", "DurationSeconds": "900",
            ]
        )
        #expect(transport.requests.first?.form["RoleSessionName"] == "stored-files-1893456000")
        let signed = fixture.signed.withLockedValue { $0 }
        #expect(signed.map(\.key) == ["BASE", "ASIAmiddle"])
        #expect(signed.map(\.region) == ["cn-north-1", "eu-west-1"])
        #expect(signed.map(\.service) == ["sts", "sts"])
        #expect(signed.last?.request.headers["Host"] == "sts.eu-west-1.amazonaws.com")
        #expect(signed.last?.request.path == "/")
        let body = transport.requests.last?.text ?? ""
        #expect(signed.last?.request.payload == .sha256(try SHA256Hasher.hash(body).hexadecimal))
        #expect(transport.requests.last?.headers["Authorization"] == "AWS4 ASIAmiddle")
    }

    @Test("A profile's role may be assumed with its own keys or with a credential source")
    func sources() async throws {
        try fixture.write(
            """
            [profile self]
            role_arn = arn:aws:iam::1:role/r
            source_profile = self
            aws_access_key_id = SELF
            aws_secret_access_key = s
            [profile environment]
            role_arn = arn:aws:iam::1:role/r
            credential_source = Environment
            [profile container]
            role_arn = arn:aws:iam::1:role/r
            credential_source = EcsContainer
            """,
            to: ".aws/config"
        )
        let transport = ScriptedTransport { request in
            request.url.hasPrefix("http://169.254.170.2/")
                ? .ok(#"{"AccessKeyId":"CONTAINER","SecretAccessKey":"s"}"#)
                : .ok(STSDocument.credentials("AssumeRole"))
        }
        let variables = [
            "AWS_ACCESS_KEY_ID": "ENV", "AWS_SECRET_ACCESS_KEY": "s", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/c",
        ]
        for profile in ["self", "environment", "container"] {
            #expect(try await credentials(profile, variables, transport)?.accessKeyID == "ASIAROLE")
        }
        #expect(fixture.signed.withLockedValue { $0.map(\.key) } == ["SELF", "ENV", "CONTAINER"])
        // A source that has nothing is not replaced by another.
        let error = try #require(await storageError { try await credentials("environment", [:], transport) })
        #expect(error.code == .invalidConfiguration)
        #expect(error.message.contains("\"Environment\" has no credentials"))
    }

    @Test("A web identity profile sends the token from the file that it names")
    func webIdentity() async throws {
        try fixture.write("the.token\n", to: "token")
        try fixture.write(
            "[profile w]\nrole_arn = arn:aws:iam::1:role/w\nweb_identity_token_file = ~/token\nservices = s\n"
                + "[services s]\nsts =\n  endpoint_url = https://sts.example/path",
            to: ".aws/config"
        )
        let transport = ScriptedTransport { _ in .ok(STSDocument.credentials("AssumeRoleWithWebIdentity")) }
        #expect(try await credentials("w", [:], transport)?.accessKeyID == "ASIAROLE")
        #expect(transport.requests.first?.form["WebIdentityToken"] == "the.token")
        #expect(transport.requests.first?.url == "https://sts.example/path")
    }

    struct Mistake: Sendable, CustomTestStringConvertible {
        var config: String
        var reason: String
        init(_ config: String, _ reason: String) {
            self.config = config
            self.reason = reason
        }
        var testDescription: String { reason }
    }

    static let role = "[profile p]\nrole_arn = arn:aws:iam::1:role/r\n"

    @Test(
        "An invalid profile is an error, and no request is sent",
        arguments: [
            Mistake(role, "needs one of source_profile"),
            Mistake(role + "source_profile = q", "\"q\" is in neither file"),
            Mistake(role + "source_profile = p", "\"p\" → \"p\""),
            Mistake(
                role + "source_profile = q\n[profile q]\nrole_arn = r\nsource_profile = p",
                "\"p\" → \"q\" → \"p\""
            ),
            Mistake(
                role + "source_profile = q\n[profile q]\nrole_arn = r\nsource_profile = o\n"
                    + "[profile o]\nrole_arn = r\nsource_profile = q",
                "\"p\" → \"q\" → \"o\" → \"q\""
            ),
            Mistake(role + "source_profile = q\n[profile q]\nregion = r", "\"q\" has no credentials"),
            Mistake(role + "source_profile = q\ncredential_source = Environment", "more than one of"),
            Mistake(role + "credential_source = Moon", "\"Moon\" is not Environment"),
            Mistake(role + "credential_source = Environment\nmfa_serial = x", "mfa_serial"),
            Mistake(role + "credential_source = Environment\nduration_seconds = 899", "900 to 43200"),
            Mistake(role + "credential_source = Environment\nduration_seconds = 1h", "no number"),
            Mistake(role + "credential_source = Environment\nrole_session_name = a b", "session name"),
            Mistake("[profile p]\nweb_identity_token_file = /t", "needs a role_arn"),
            Mistake(role + "web_identity_token_file = /nowhere/token", "\"/nowhere/token\" is missing"),
            Mistake("[profile p]\nsso_session = x", "export-credentials --profile p"),
            Mistake("[profile p]\naws_access_key_id = k", "no secret access key"),
            Mistake("[profile p]\ncredential_process = 'x", "quote is not closed"),
            Mistake("[profile p]\ncredential_process = ''", "names no program"),
            Mistake("[profile p]\nservices = s", "no [services …]"),
            Mistake("[profile p", "Line 1"),
        ]
    )
    func mistakes(_ mistake: Mistake) async throws {
        try fixture.write(mistake.config, to: ".aws/config")
        let transport = ScriptedTransport { _ in .ok(STSDocument.credentials("AssumeRole")) }
        let error = try #require(await storageError { try await credentials("p", [:], transport) })
        #expect(error.code == .invalidConfiguration)
        #expect(error.message.contains(mistake.reason), "\(error)")
        #expect(transport.requests.isEmpty)
    }

    @Test("A profile has settings for the storage")
    func settings() async throws {
        try fixture.write("[p]\nregion = from-credentials", to: ".aws/credentials")
        try fixture.write(
            """
            [default]
            endpoint_url = https://d
            [profile p]
            region = from-config
            endpoint_url = https://all
            ca_bundle = /ca.pem
            services = local
            s3 =
              addressing_style = path
              use_dualstack_endpoint = True
              use_accelerate_endpoint = false
              payload_signing_enabled = true
            [services local]
            s3 =
              endpoint_url = http://localhost:9000
            sts =
              endpoint_url = https://sts
            [profile ignoring]
            endpoint_url = https://all
            ignore_configured_endpoint_urls = true
            [profile wrong]
            s3 =
              use_dualstack_endpoint = maybe
            """,
            to: ".aws/config"
        )
        let environment = fixture.context().environment
        let settings = try #require(try await ProfileSettings.load(profile: "p", in: environment))
        #expect(settings.region == "from-credentials")
        #expect(settings.endpointURL == "http://localhost:9000")
        #expect(settings.stsEndpointURL == "https://sts")
        #expect(settings.certificateBundle == "/ca.pem")
        #expect(settings.addressingStyle == "path")
        #expect(settings.usesDualStack == true)
        #expect(settings.usesAccelerate == false)
        #expect(settings.signsPayload == true)
        #expect(try await ProfileSettings.load(in: environment)?.endpointURL == "https://d")
        #expect(try await ProfileSettings.load(profile: "ignoring", in: environment)?.endpointURL == nil)
        for name in ["wrong", "gone"] {
            let error = await storageError { try await ProfileSettings.load(profile: name, in: environment) as Any }
            #expect(error?.code == .invalidConfiguration)
        }
        #expect(try await ProfileSettings.load(in: EnvironmentVariables([:])) == nil)
    }

    @Test("Unreadable default profile files are ignored unless a profile or a file is named")
    func forbidden() async throws {
        for name in ["credentials", "config"] {
            try fixture.forbid(".aws/\(name)")
            let path = "\(fixture.folder)/.aws/\(name)"
            #expect(try await credentials() == nil)
            #expect(try await ProfileSettings.load(in: fixture.context().environment) == nil)
            let variable = name == "config" ? "AWS_CONFIG_FILE" : "AWS_SHARED_CREDENTIALS_FILE"
            for (profile, variables) in [("p", [:]), (nil, ["AWS_PROFILE": "p"]), (nil, [variable: path])]
                as [(String?, [String: String])]
            {
                let error = try #require(await storageError { try await credentials(profile, variables) })
                #expect(error.code == .permissionDenied)
                #expect(error.message.contains(path))
            }
            try FileManager.default.removeItem(atPath: path)
        }
    }

    @Test("Profile files that are too large, not UTF-8 or a directory are refused")
    func files() async throws {
        let path = "\(fixture.folder)/.aws/credentials"
        try Data(repeating: 0x23, count: (1 << 20) + 1).write(to: URL(fileURLWithPath: path))
        #expect(await storageError { try await credentials() }?.code == .invalidConfiguration)
        try Data(repeating: 0x23, count: 1 << 20).write(to: URL(fileURLWithPath: path))
        #expect(try await credentials() == nil)
        try Data([0x23, 0xFF]).write(to: URL(fileURLWithPath: path))
        #expect(await storageError { try await credentials() }?.code == .invalidConfiguration)
        let folder = fixture.folder
        #expect(await storageError { try await credentials(nil, ["AWS_CONFIG_FILE": folder]) } != nil)
    }
}
