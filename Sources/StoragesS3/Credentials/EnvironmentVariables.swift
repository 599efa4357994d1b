import Foundation
import Storages
import StoragesHTTP

/// The variables of an environment, secrets among them.
struct EnvironmentVariables: Sendable, SecretHolding {
    /// All variables, as a child process gets them.
    let all: [String: String]
    private let findsHomeDirectory: Bool

    /// Creates an environment that consists of these variables, whatever those of the process are.
    init(_ variables: [String: String]) {
        all = variables
        findsHomeDirectory = false
    }

    private init(process: ProcessInfo) {
        all = process.environment
        findsHomeDirectory = true
    }

    /// The environment of this process as it is now.
    static var process: EnvironmentVariables { EnvironmentVariables(process: .processInfo) }

    /// The value of a variable; an empty one counts as unset.
    subscript(name: String) -> String? {
        guard let value = all[name], !value.isEmpty else { return nil }
        return value
    }

    /// The value of the first of these variables that is set.
    func first(of names: String...) -> String? {
        for name in names {
            if let value = self[name] { return value }
        }
        return nil
    }

    /// Returns whether a switch is on.
    ///
    /// - Throws: ``StorageError`` with code `invalidConfiguration` for anything but `true` and `false`, in any case.
    func isTrue(_ name: String) throws -> Bool {
        guard let value = self[name] else { return false }
        switch value.lowercased() {
        case "true": return true
        case "false": return false
        default:
            throw StorageError(
                .invalidConfiguration,
                "The environment variable \(name) is neither true nor false; set it to one of them, or unset it."
            )
        }
    }

    /// A Boolean value that indicates whether the URLs of servers in the environment and the profiles do not count.
    ///
    /// - Throws: As ``isTrue(_:)``.
    var ignoresEndpointURLs: Bool {
        get throws { try isTrue("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") }
    }

    /// Replaces a leading `~` by the home directory; may block, to look that up.
    func expandingTilde(_ path: String) -> String {
        guard path == "~" || path.hasPrefix("~/"), let home = homeDirectory() else { return path }
        return home + path.dropFirst()
    }

    /// Returns `HOME`, or the home directory of the user of this process, which may block; `nil` when there is none.
    func homeDirectory() -> String? {
        if let home = self["HOME"] { return home }
        return findsHomeDirectory ? NSHomeDirectory() : nil
    }
}
