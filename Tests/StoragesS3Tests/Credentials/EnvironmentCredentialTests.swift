import Foundation
import Storages
import TestSupport
import Testing

@testable import StoragesHTTP
@testable import StoragesS3

@Suite("Credentials in the environment and in options")
struct EnvironmentCredentialTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var variables: [String: String]
        var expected: S3Credentials?
        var testDescription: String { name }
    }

    static let cases = [
        Case(name: "nothing", variables: [:], expected: nil),
        Case(
            name: "empty is unset",
            variables: ["AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""],
            expected: nil
        ),
        Case(
            name: "a pair",
            variables: ["AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": ""],
            expected: S3Credentials(accessKeyID: "k", secretAccessKey: "s")
        ),
        Case(
            name: "token and end",
            variables: [
                "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "t",
                "AWS_SECURITY_TOKEN": "other", "AWS_CREDENTIAL_EXPIRATION": "2030-01-01T00:00:00Z",
            ],
            expected: S3Credentials(
                accessKeyID: "k",
                secretAccessKey: "s",
                sessionToken: "t",
                expiration: TestClock.start
            )
        ),
        Case(
            name: "the old name of the token",
            variables: ["AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SECURITY_TOKEN": "t"],
            expected: S3Credentials(accessKeyID: "k", secretAccessKey: "s", sessionToken: "t")
        ),
        Case(
            name: "the pair for storages wins, and takes no token of the other pair",
            variables: [
                "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "t",
                "AWS_S3_ACCESS_KEY_ID": "k3", "AWS_S3_SECRET_ACCESS_KEY": "s3",
                "AWS_CREDENTIAL_EXPIRATION": "2030-01-01T00:00:00Z",
            ],
            expected: S3Credentials(accessKeyID: "k3", secretAccessKey: "s3")
        ),
        Case(
            name: "a token without another pair belongs to the one for storages",
            variables: [
                "AWS_S3_ACCESS_KEY_ID": "k3", "AWS_S3_SECRET_ACCESS_KEY": "s3", "AWS_SESSION_TOKEN": "t",
            ],
            expected: S3Credentials(accessKeyID: "k3", secretAccessKey: "s3", sessionToken: "t")
        ),
    ]

    @Test("Credentials are read from environment variables", arguments: cases)
    func found(_ example: Case) async throws {
        let provider = EnvironmentCredentialProvider(environment: EnvironmentVariables(example.variables))
        #expect(try await provider.credentials() == example.expected)
    }

    static let mistakes: [[String: String]] = [
        ["AWS_ACCESS_KEY_ID": "hush"],
        ["AWS_SECRET_ACCESS_KEY": "hush"],
        ["AWS_S3_ACCESS_KEY_ID": "hush", "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s"],
        ["AWS_ACCESS_KEY_ID": "hush\r\nX-Evil: 1", "AWS_SECRET_ACCESS_KEY": "s"],
        ["AWS_ACCESS_KEY_ID": "hush hush", "AWS_SECRET_ACCESS_KEY": "s"],
        ["AWS_ACCESS_KEY_ID": "hüsh-hush", "AWS_SECRET_ACCESS_KEY": "s"],
        ["AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "hush\n"],
        ["AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": " hush"],
        ["AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "hush\nX: 1"],
        ["AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "hush\u{0}"],
        ["AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "hush\u{7F}"],
        [
            "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "t",
            "AWS_CREDENTIAL_EXPIRATION": "hush",
        ],
    ]

    @Test("Incomplete or malformed credential variables are refused without being shown", arguments: mistakes)
    func refused(_ variables: [String: String]) async throws {
        let provider = EnvironmentCredentialProvider(environment: EnvironmentVariables(variables))
        let error = try #require(await storageError { try await provider.credentials() })
        #expect(error.code == .invalidConfiguration)
        #expect(!error.description.contains("hush"))
    }

    @Test("Credential options are a complete key pair, nothing or an error")
    func options() async throws {
        typealias Options = (String?, String?, String?)
        let mistakes: [Options] = [("k", nil, nil), (nil, "s", nil), (nil, nil, "t"), ("", "s", nil), ("k", "", nil)]
        for (key, secret, token) in mistakes {
            let error = await storageError {
                try StaticCredentialProvider(accessKeyID: key, secretAccessKey: secret, sessionToken: token) as Any
            }
            #expect(error?.code == .invalidConfiguration, "\(key ?? "-") \(secret ?? "-") \(token ?? "-")")
        }
        #expect(try StaticCredentialProvider(accessKeyID: nil, secretAccessKey: nil, sessionToken: nil) == nil)
        let provider = try StaticCredentialProvider(accessKeyID: "k", secretAccessKey: "s", sessionToken: "t")
        let expected = S3Credentials(accessKeyID: "k", secretAccessKey: "s", sessionToken: "t")
        #expect(try await provider?.credentials() == expected)
    }

    @Test(
        "The expiration of credentials is parsed in every form that services write",
        arguments: [
            "2030-01-01T00:00:00Z", "2030-01-01T00:00:00.000Z", "2030-01-01T00:00:00+00:00",
            "2030-01-01T01:00:00+01:00", "2029-12-31T16:00:00-08:00", "2030-01-01T00:00:00.000+00:00",
        ]
    )
    func expiration(_ text: String) {
        #expect(ISO8601Timestamp.date(from: text) == TestClock.start)
    }

    @Test(
        "Text that is no timestamp is not parsed as the expiration of credentials",
        arguments: ["", "tomorrow", "2030-13-01T00:00:00Z", "1893456000"]
    )
    func noExpiration(_ text: String) {
        #expect(ISO8601Timestamp.date(from: text) == nil)
    }

    @Test("The environment of the process is the default, and HOME expands a tilde")
    func process() {
        #expect(EnvironmentVariables.process["PATH"] == ProcessInfo.processInfo.environment["PATH"])
        #expect(EnvironmentVariables.process.homeDirectory() != nil)
        #expect(EnvironmentVariables([:]).homeDirectory() == nil)
        #expect(EnvironmentVariables(["HOME": "/h"]).expandingTilde("~/a") == "/h/a")
        #expect(EnvironmentVariables(["HOME": "/h"]).expandingTilde("~other/a") == "~other/a")
    }
}
