import Foundation
import NIOConcurrencyHelpers
import NIOCore
import Storages

@testable import StoragesHTTP
@testable import StoragesS3

/// Answers of STS.
enum STSDocument {
    static func credentials(_ action: String, key: String = "ASIAROLE", expiration: String = "2030-01-01T01:00:00Z")
        -> String
    {
        """
        <\(action)Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
          <\(action)Result>
            <AssumedRoleUser><AssumedRoleId>AROA:me</AssumedRoleId></AssumedRoleUser>
            <Credentials>
              <AccessKeyId>\(key)</AccessKeyId>
              <SecretAccessKey>role-secret</SecretAccessKey>
              <SessionToken>role-token</SessionToken>
              <Expiration>\(expiration)</Expiration>
            </Credentials>
          </\(action)Result>
        </\(action)Response>
        """
    }

    static func error(_ code: String, _ message: String = "no") -> String {
        "<ErrorResponse><Error><Type>Sender</Type><Code>\(code)</Code><Message>\(message)</Message></Error></ErrorResponse>"
    }
}

/// A clock that a test sets.
final class TestClock: Sendable {
    static let start = Date(timeIntervalSince1970: 1_893_456_000)  // 2030-01-01T00:00:00Z

    private let value = NIOLockedValueBox(TestClock.start)

    var now: Date { value.withLockedValue { $0 } }

    func advance(_ seconds: TimeInterval) {
        value.withLockedValue { $0 += seconds }
    }
}

/// A folder that goes away with the test, and a context whose paths lie in it.
final class CredentialFixture: Sendable {
    let folder: String
    let pauses = NIOLockedValueBox<[Duration]>([])
    let signed = NIOLockedValueBox<[(request: SignableRequest, key: String, region: String, service: String)]>([])

    init() throws {
        folder = NSTemporaryDirectory() + "/credentials-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder + "/.aws", withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: folder)
    }

    @discardableResult
    func write(_ text: String, to name: String) throws -> String {
        let path = "\(folder)/\(name)"
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        return path
    }

    /// Puts a file there that this process may not read, whoever it runs as.
    func forbid(_ name: String) throws {
        let path = "\(folder)/\(name)"
        try? FileManager.default.removeItem(atPath: path)
        guard geteuid() == 0 else {
            try write("[default]", to: name)
            return try FileManager.default.setAttributes([.posixPermissions: 0], ofItemAtPath: path)
        }
        // Permissions do not hold root up; a switch of the kernel that can only be written does.
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "/proc/sys/vm/drop_caches")
    }

    func script(_ text: String, named name: String = "program") throws -> String {
        let path = try write("#!/bin/sh\n" + text, to: name)
        try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: path)
        return path
    }

    func context(
        _ variables: [String: String] = [:],
        _ transport: ScriptedTransport = .unreachable
    ) -> CredentialContext {
        var context = CredentialContext(
            environment: EnvironmentVariables(variables.merging(["HOME": folder]) { given, _ in given }),
            transport: transport,
            sign: { [signed] request, credentials, region, service, _ in
                signed.withLockedValue { $0.append((request, credentials.accessKeyID, region, service)) }
                return ["Authorization": "AWS4 \(credentials.accessKeyID)"]
            }
        )
        context.now = { TestClock.start }
        context.pause = { [pauses] duration in pauses.withLockedValue { $0.append(duration) } }
        return context
    }
}

extension ProfileSettings {
    /// Those of a profile that says nothing.
    static func empty() throws -> ProfileSettings {
        try ProfileSettings(Profile(name: "p", credentials: nil, config: nil) { _ in nil })
    }
}
