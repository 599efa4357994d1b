import Foundation
import NIOConcurrencyHelpers
import Platform
import Storages
import TestSupport
import Testing

@testable import StoragesS3

@Suite("Credentials from a program")
struct ProcessCredentialTests {
    let fixture: CredentialFixture

    init() throws {
        fixture = try CredentialFixture()
    }

    func provider(_ script: String, timeout: Duration = .seconds(30)) throws -> ProcessCredentialProvider {
        let path = try fixture.script(script)
        let environment = EnvironmentVariables(["PATH": "/usr/bin:/bin", "GREETING": "hello"])
        // By the shell: a file that was just written may still be open in a child of another test, and is "busy" then.
        return ProcessCredentialProvider(command: "/bin/sh \(path)", environment: environment, timeout: timeout)
    }

    @Test("A credential process may give a token and an expiration, or neither")
    func output() async throws {
        let whole = try provider(
            """
            echo noise >&2
            echo '{"Version": 1, "AccessKeyId": "K", "SecretAccessKey": "s/+=", "SessionToken": "t",'
            echo '"Expiration": "2030-01-01T00:00:00Z", "Other": [1]}'
            """
        )
        let expected = S3Credentials(
            accessKeyID: "K",
            secretAccessKey: "s/+=",
            sessionToken: "t",
            expiration: TestClock.start
        )
        #expect(try await whole.credentials() == expected)
        let short = try provider(
            #"echo '{"Version":1,"AccessKeyId":"K","SecretAccessKey":"'$GREETING'","SessionToken":null}'"#
        )
        #expect(try await short.credentials() == S3Credentials(accessKeyID: "K", secretAccessKey: "hello"))
    }

    struct Mistake: Sendable, CustomTestStringConvertible {
        var script: String
        var reason: String
        init(_ script: String, _ reason: String) {
            self.script = script
            self.reason = reason
        }
        var testDescription: String { reason }
    }

    static let keys = #""AccessKeyId":"K","SecretAccessKey":"hush""#

    @Test(
        "A credential process that fails or prints invalid output is refused, and nothing is shown",
        arguments: [
            Mistake("echo '{\"Version\":1,\(keys)}'; exit 3", "ended with status 3"),
            Mistake("echo '{\"Version\":1,\(keys)}'; kill -TERM $$", "was ended by signal 15"),
            Mistake("echo '{\"Version\":2,\(keys)}'", "\"Version\": 1"),
            Mistake("echo '{\(keys)}'", "\"Version\": 1"),
            Mistake("echo 'hush {'", "not a JSON object"),
            Mistake("exec 1>&-; exit 0", "not a JSON object"),
            Mistake("echo '{\"Version\":1,\"AccessKeyId\":\"K\"}'", "no secret access key"),
            Mistake("echo '{\"Version\":1,\(keys),\"Expiration\":\"hush\"}'", "ISO 8601"),
            Mistake("printf %s '{\"Version\":1,\(keys),\"SessionToken\":\"a\\r\\nb\"}'", "session token"),
            Mistake("while :; do echo hush; done", "more than 65536 bytes"),
        ]
    )
    func mistakes(_ mistake: Mistake) async throws {
        let provider = try provider(mistake.script)
        let error = try #require(await storageError { try await provider.credentials() })
        #expect(error.code == .unavailable)
        #expect(error.message.contains(mistake.reason), "\(error)")
        #expect(!error.description.contains("hush"))
    }

    @Test("A credential process that cannot be started is an error")
    func notStarted() async throws {
        let environment = EnvironmentVariables([:])
        for command in ["/nowhere/at-all hush", "\(try fixture.write("x", to: "plain")) hush", "   ", "''"] {
            let provider = ProcessCredentialProvider(command: command, environment: environment)
            let error = try #require(await storageError { try await provider.credentials() })
            #expect(error.code == .invalidConfiguration)
            #expect(!error.description.contains("hush"))
        }
    }

    @Test("The command line of a credential process is not expanded by a shell")
    func noShell() async throws {
        let program = try fixture.script(
            #"printf '{"Version":1,"AccessKeyId":"K","SecretAccessKey":"%s"}' "$*""#
        )
        let provider = ProcessCredentialProvider(
            command: "/bin/sh \(program) $HOME;`id`|*&&>x",
            environment: EnvironmentVariables(["PATH": "/usr/bin:/bin"])
        )
        #expect(try await provider.credentials()?.secretAccessKey == "$HOME;`id`|*&&>x")
    }

    /// Waits for a file that a script writes a process number into.
    func number(in path: String) async throws -> pid_t {
        var number: pid_t?
        try await waitUntil("no process number is in \(path)") {
            guard let text = try? String(contentsOfFile: path, encoding: .utf8), text.hasSuffix("\n") else {
                return false
            }
            number = pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines))
            return number != nil
        }
        return try #require(number)
    }

    /// Waits until a process is gone; one that has died and is not waited for by anyone counts as gone.
    func end(of process: pid_t) async throws {
        try await waitUntil("the process \(process) runs") {
            guard kill(process, 0) == 0 else { return true }
            let status = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)
            return status?.contains(") Z ") == true
        }
    }

    @Test("A credential process is killed with its children after a timeout", .timeLimit(.minutes(1)))
    func timeout() async throws {
        let file = "\(fixture.folder)/child"
        let provider = try provider(
            "sleep 300 & echo $! > \(file).new; mv \(file).new \(file); wait",
            timeout: .seconds(1)
        )
        let error = try #require(await storageError { try await provider.credentials() })
        #expect(error.code == .unavailable)
        #expect(error.message.contains("was killed"))
        try await end(of: try await number(in: file))
    }

    @Test("A credential process that closes its output and does not end is killed", .timeLimit(.minutes(1)))
    func silent() async throws {
        let provider = try provider("exec 1>&-; exec sleep 300", timeout: .seconds(1))
        #expect(await storageError { try await provider.credentials() }?.message.contains("was killed") == true)
    }

    @Test("Cancelling the task kills the credential process and its children", .timeLimit(.minutes(1)))
    func cancellation() async throws {
        let file = "\(fixture.folder)/child"
        let provider = try provider("sleep 300 & echo $! > \(file).new; mv \(file).new \(file); wait")
        let task = Task { try await provider.credentials() }
        let child = try await number(in: file)
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        try await end(of: child)
    }

    struct Line: Sendable, CustomTestStringConvertible {
        var text: String
        var words: [String]?
        init(_ text: String, _ words: [String]?) {
            self.text = text
            self.words = words
        }
        var testDescription: String { text }
    }

    @Test(
        "The command line of a credential process is split like a shell's",
        arguments: [
            Line("", []), Line("  a  b\tc\n", ["a", "b", "c"]), Line(#"a 'b c' "d e""#, ["a", "b c", "d e"]),
            Line(#"a'b'"c"d"#, ["abcd"]), Line(#"'' """#, ["", ""]), Line(#"a\ b \'c \"d"#, ["a b", "'c", "\"d"]),
            Line(#"'a\b' "a\b" "a\"b" "a\\b" "a\$b""#, [#"a\b"#, #"a\b"#, #"a"b"#, #"a\b"#, "a$b"]),
            Line(#""a'b" 'a"b'"#, ["a'b", "a\"b"]), Line("é 日本", ["é", "日本"]),
            Line("a 'b", nil), Line("a \"b", nil), Line("a \\", nil), Line(#""a\"#, nil),
        ]
    )
    func splitting(_ line: Line) {
        #expect((try? ShellWords.split(line.text)) == line.words)
    }
}
