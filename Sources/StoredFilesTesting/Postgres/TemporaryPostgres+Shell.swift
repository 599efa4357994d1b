import Foundation

extension TemporaryPostgres {
    /// Runs a shell script with the server's programs on its search path: what a person would type.
    ///
    /// - Parameters:
    ///   - script: The script, for `/bin/sh`; the first command that fails ends it.
    ///   - variables: What it finds in its environment, without anything that begins with `PG`.
    ///   - asServerUser: Whether it runs as the user that the server runs as, to whom the cluster's files belong.
    ///     Default: as ourselves.
    /// - Returns: What it printed, errors included.
    /// - Throws: ``TemporaryServerError`` with code `.setupFailed` and what it printed, when a command failed.
    @discardableResult
    package func shell(
        _ script: String,
        _ variables: [String: String] = [:],
        asServerUser: Bool = false
    ) async throws -> String {
        let output = "\(directory)/shell-\(UUID().uuidString).log"
        defer { try? FileManager.default.removeItem(atPath: output) }
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        let settings = variables.merging(["PATH": "\(binaries.directory):\(path)"]) { $1 }
        var command = ["/usr/bin/env"] + settings.map { "\($0)=\($1)" } + ["/bin/sh", "-euc", script]
        if asServerUser { command = try user.command(command) }
        let status = try await folder.run(command, output: output)
        let text = folder.text(of: output)
        guard status == 0 else {
            throw TemporaryServerError(.setupFailed, "A script ended with status \(status): \(text.suffix(4000))")
        }
        return text
    }
}
