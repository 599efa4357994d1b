import Foundation
import Platform

extension TemporaryPostgres {
    /// Runs a script with `psql`: as a program that knows nothing of this library.
    ///
    /// - Parameters:
    ///   - script: What to run; the first error ends it. It is read from a file, so data for COPY may follow in it.
    ///   - url: The database, from ``makeDatabase(named:template:)``.
    /// - Throws: ``TemporaryServerError`` with code `.setupFailed` and what psql printed.
    public func psql(_ script: String, on url: String) async throws {
        let file = "\(directory)/script-\(UUID().uuidString)"
        try script.write(toFile: file + ".sql", atomically: true, encoding: .utf8)
        defer {
            try? FileManager.default.removeItem(atPath: file + ".sql")
            try? FileManager.default.removeItem(atPath: file + ".log")
        }
        let bundled = binaries.path("psql")
        guard let program = FileManager.default.isExecutableFile(atPath: bundled) ? bundled : ChildProcess.find("psql")
        else {
            throw TemporaryServerError(
                .serverNotInstalled,
                "There is no psql beside the server's programs; install PostgreSQL's client (postgresql-client)."
            )
        }
        let command = [program, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", file + ".sql", url]
        guard try await folder.run(command, output: file + ".log") == 0 else {
            throw TemporaryServerError(.setupFailed, "psql failed: \(folder.text(of: file + ".log").suffix(2000))")
        }
    }
}
