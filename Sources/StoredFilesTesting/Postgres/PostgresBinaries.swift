import Foundation
import Platform

/// The directory of the programs of the server, and the user as whom they run.
struct PostgresBinaries: Sendable {
    let directory: String

    /// - Throws: `TemporaryServerError.serverNotInstalled`, saying where it looked and what to install.
    static func find(_ given: String?, environment: [String: String]) async throws -> PostgresBinaries {
        if let named = given ?? environment["PG_BINDIR"], !named.isEmpty {
            if isComplete(named) { return PostgresBinaries(directory: named) }
            throw TemporaryServerError(
                .serverNotInstalled,
                "\(named) holds no initdb, pg_ctl and postgres. Point PG_BINDIR or binaryDirectory at the programs of "
                    + "a PostgreSQL server."
            )
        }
        var candidates = usualPlaces()
        if let found = candidates.first(where: isComplete) { return PostgresBinaries(directory: found) }
        if let reported = await reportedByPGConfig() { candidates.append(reported) }
        if let initdb = ChildProcess.find("initdb") {
            candidates.append((initdb as NSString).deletingLastPathComponent)
        }
        if let found = candidates.first(where: isComplete) { return PostgresBinaries(directory: found) }
        throw TemporaryServerError(
            .serverNotInstalled,
            "No PostgreSQL server was found (looked in /usr/lib/postgresql, /usr/pgsql-*, Homebrew, pg_config and "
                + "PATH). Install one (apt-get install postgresql, dnf install postgresql-server, brew install "
                + "postgresql) or set PG_BINDIR to the directory of initdb."
        )
    }

    func path(_ program: String) -> String {
        "\(directory)/\(program)"
    }

    private static func isComplete(_ directory: String) -> Bool {
        ["initdb", "pg_ctl", "postgres"].allSatisfy {
            FileManager.default.isExecutableFile(atPath: "\(directory)/\($0)")
        }
    }

    /// The newest version first.
    private static func usualPlaces() -> [String] {
        func entries(_ parent: String, prefix: String, suffix: String) -> [(version: Int, path: String)] {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? []
            return names.filter { $0.hasPrefix(prefix) }.map { name in
                (Int(name.dropFirst(prefix.count).filter(\.isNumber)) ?? 0, "\(parent)/\(name)\(suffix)")
            }
        }
        let places =
            entries("/usr/lib/postgresql", prefix: "", suffix: "/bin")
            + entries("/usr", prefix: "pgsql-", suffix: "/bin")
            + entries("/opt/homebrew/opt", prefix: "postgresql", suffix: "/bin")
            + entries("/usr/local/opt", prefix: "postgresql", suffix: "/bin")
        return places.sorted { $0.version > $1.version }.map(\.path)
    }

    private static func reportedByPGConfig() async -> String? {
        guard let program = ChildProcess.find("pg_config") else { return nil }
        let output = "/tmp/pg_config.\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: output) }
        guard let status = try? await ChildProcess.run([program, "--bindir"], in: "/", output: output), status == 0
        else { return nil }
        return (try? String(contentsOfFile: output, encoding: .utf8))?.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
