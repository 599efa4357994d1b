import Foundation
import StoredFilesTesting
import TestSupport
import Testing

@testable import PostgresModels

/// Passwords, and what may be parts of them, are looked for in all that a process logs, throws, prints and writes to
/// its standard error.
@Suite("Secrecy of passwords", .timeLimit(.minutes(10)))
struct SecretExposureTests {
    /// Strings that lead nowhere, or that the server refuses; "DIR" is a folder where it listens as on the ports 123
    /// and 5432, and a pooler on the port 124.
    static let strings = [
        // Valid, and not what was meant.
        "postgresql://odd:123/S3cret?hostaddr=127.0.0.1", "postgresql://odd:123/S3cret?host=DIR",
        "postgresql://odd:123/S3cret%20x?host=DIR", "postgresql://odd:123/S3cret?host=DIR&user=app@x",
        "postgres://odd:123,S3cret/x?hostaddr=127.0.0.1,127.0.0.1", "postgresql://odd:/S3cret?host=DIR&port=123",
        "postgresql://odd:124/S3cret?host=DIR&user=app@S3cret", "postgresql://odd:124/S3cret?host=DIR",
        "postgresql://od/d:S3cret?host=DIR", "postgresql://[odd:S3cret]/db?hostaddr=127.0.0.1",
        "postgresql://od%2Fd:1%2FS3cret/x?hostaddr=127.0.0.1",
        // Refused for what they look like.
        "postgresql://odd:Sup3r/S3cret@h/db", "postgresql://odd:Sup3r@S3cret@h/db", "postgresql://odd:S3cret",
        "postgresql://odd:Sup3r%S3cret@h/db", "postgresql://odd:1/a?S3cret", "POSTGRESQL://odd:S3cret@h/db",
        " postgresql://odd:S3cret@h/db", "jdbc:postgresql://h/db?user=odd&password=S3cret", "S3cret",
        "host=DIR password=Sup3r S3cret", "host=DIR password='S3cret", "host=DIR password=a\\ b S3cret",
        "host=DIR port=S3cret", "host=DIR port=123,S3cret", "host=DIR hostaddr=S3cret", "host=DIR\0S3cret",
        "host=DIR dbname=postgresql://odd:S3cret@h/db",
        // Refused by libpq.
        "host=DIR sslmode=S3cret", "host=DIR service=S3cret", "host=DIR keepalives=S3cret",
        "host=DIR gssencmode=S3cret",
        "host=DIR target_session_attrs=S3cret", "host=DIR channel_binding='a\"S3cret'", "host=DIR sslsni=S3cret",
        "host=127.0.0.1 port=1 sslmode=require sslcert=S3cret sslkey=S3cret sslpassword=S3cret",
        "host=127.0.0.1 port=1 sslkey='pkcs11:token;pin-value=S3cret' password=S3cret passfile=S3cret",
        "host=127.0.0.1 ssl_min_protocol_version=S3cret",
        // Refused by the server or the pooler.
        "host=DIR port=123 user=app dbname=x password=S3cret", "host=DIR port=123 user=odd:S3cret dbname=postgres",
        "host=DIR port=123 user=careful dbname=postgres password=S3cret",
        "host=DIR port=123 user=careful dbname=postgres passfile=DIR/passwords",
        "host=DIR port=123 user=app dbname=postgres options=S3cret",
        "host=DIR port=123 user=app dbname=postgres options='-c S3cret'",
        "host=DIR port=123 user=app dbname=postgres options='-c work_mem=S3cret'",
        "host=DIR port=123 user=app dbname=postgres options='-c S3cret=1'",
        "host=DIR port=124 user=app dbname=postgres options='-c S3cret=1'",
        "host=DIR port=124 user=app dbname=x password=S3cret",
        "host=DIR port=124 user=odd:S3cret dbname=postgres password=S3cret",
    ]

    /// Strings with which everything works, so that all is logged that is logged in a normal life.
    static let working = [
        "postgresql://app:S3cret@/postgres?host=DIR&port=123",
        "host=DIR port=123 user=app dbname=postgres password='S3cret x' passfile=DIR/passwords sslpassword=S3cret",
        "host=DIR port=123 user=careful dbname=postgres passfile=DIR/right-passwords",
        "postgresql://app:S3cret@/postgres?host=DIR&port=124",
    ]

    /// The parts that the environment and files may add.
    static let environments: [(variables: [String: String], conninfo: String)] = [
        (["PGPASSWORD": "S3cret"], "host=DIR port=123 user=careful dbname=postgres"),
        (["PGPASSWORD": "S3cret", "PGPORT": "S3cret"], "host=DIR user=app dbname=postgres"),
        (["PGPASSFILE": "DIR/passwords"], "host=DIR port=123 user=careful dbname=postgres"),
        (["PGPASSFILE": "DIR/open-passwords"], "host=DIR port=123 user=careful dbname=postgres"),
        (["PGDATABASE": "postgresql://odd:S3cret@h/d"], "host=DIR port=123 user=app"),
        (["PGDATABASE": "password=S3cret"], "host=DIR port=124 user=app"),
        (["PGUSER": "app"], "postgresql://odd:123/S3cret?host=DIR"),
        (["PGUSER": "app"], "postgresql://odd:124/S3cret?host=DIR"),
        (["PGUSER": "odd:S3cret"], "host=DIR port=123 dbname=postgres"),
        (["PGOPTIONS": "-c work_mem=S3cret"], "host=DIR port=123 user=app dbname=postgres"),
        (["PGOPTIONS": "S3cret"], "host=DIR port=123 user=app dbname=postgres"),
        (["PGHOSTADDR": "S3cret"], "host=DIR user=app dbname=postgres"),
        (["PGSSLMODE": "S3cret"], "host=DIR user=app dbname=postgres"),
        (["PGSERVICE": "S3cret"], "host=DIR user=app dbname=postgres"),
        (["PGSERVICEFILE": "DIR/services"], "service=right"), (["PGSERVICEFILE": "DIR/services"], "service=wrong"),
        (["PGSERVICEFILE": "DIR/services"], "service=port"), (["PGSERVICEFILE": "DIR/services"], "service=nested"),
        (["PGSERVICEFILE": "DIR/services"], "service=syntax"), (["PGSERVICEFILE": "DIR/services"], "service=database"),
        (["PGSERVICEFILE": "DIR/services", "PGSERVICE": "unknown"], "service=option"),
    ]

    static let services = """
        [right]
        host=DIR
        port=123
        user=app
        dbname=postgres
        password=S3cret
        [wrong]
        host=DIR
        port=123
        user=careful
        dbname=postgres
        password=S3cret
        [port]
        host=DIR
        password=S3cret
        port=S3cret
        [database]
        host=DIR
        port=123
        user=app
        dbname=postgresql://odd:S3cret@h/d
        [nested]
        service=S3cret
        [option]
        S3cret=1
        [syntax]
        host=DIR
        password S3cret
        """

    @Test("No log, error or description shows a password of a connection string or the environment")
    func everyStringUsedInEveryWay() async throws {
        let (server, folder) = try await Self.server()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let bouncer = try await TemporaryPgBouncer.start(before: server)
        let pooled = URLComponents(string: bouncer.address(of: server.url))?.queryItems ?? []
        let sockets = try #require(pooled.first { $0.name == "host" }?.value)
        try FileManager.default.createSymbolicLink(
            atPath: "\(folder)/.s.PGSQL.124",
            withDestinationPath: "\(sockets)/.s.PGSQL.6432"
        )
        let result = await #expect(
            processExitsWith: .success,
            observing: [\.standardOutputContent, \.standardErrorContent]
        ) { [folder = folder as String, good = server.url as String] in
            for conninfo in Self.strings + Self.working {
                let conninfo = conninfo.replacing("DIR", with: folder)
                print("=====", await SecretExposure.text(of: conninfo, beside: good))
            }
            for (variables, conninfo) in Self.environments {
                for (name, value) in variables { setenv(name, value.replacing("DIR", with: folder), 1) }
                let conninfo = conninfo.replacing("DIR", with: folder)
                print("=====", await SecretExposure.text(of: conninfo, beside: good))
                for name in variables.keys { unsetenv(name) }
            }
        }
        await bouncer.stop()
        await server.stop()
        let output = String(decoding: try #require(result).standardOutputContent, as: UTF8.self)
        let sections = output.components(separatedBy: "=====").dropFirst()
        let cases = Self.strings + Self.working + Self.environments.map { "\($0.variables) \($0.conninfo)" }
        try #require(sections.count == cases.count)
        for (section, name) in zip(sections, cases) {
            #expect(!section.contains(SecretExposure.mark), "\(name)")
            // It was really tried.
            #expect(section.contains("direct address: "), "\(name)")
        }
        for (section, name) in zip(sections, cases).dropFirst(Self.strings.count).prefix(Self.working.count) {
            #expect(
                section.contains("database: no error") && section.contains("cancelled: CancellationError"),
                "\(name)"
            )
        }
        let errors = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
        #expect(!errors.contains(SecretExposure.mark))
    }

    /// A server that asks one of its roles for a password, and a folder with its socket and the files of the table
    /// above.
    private static func server() async throws -> (TemporaryPostgres, folder: String) {
        let server = try await TemporaryPostgres.start()
        let connection = try await PostgresConnection.connect(server.url)
        try await connection.simpleQuery("CREATE ROLE careful LOGIN PASSWORD 'right'")
        let rules = "\(server.directory)/data/pg_hba.conf"
        let text = try String(contentsOfFile: rules, encoding: .utf8)
        try "local all careful scram-sha-256\n\(text)".write(toFile: rules, atomically: false, encoding: .utf8)
        try await connection.simpleQuery("SELECT pg_reload_conf()")
        connection.close()

        let folder = "/tmp/sfsx.\(UUID().uuidString.prefix(8))"
        let files = FileManager.default
        try files.createDirectory(atPath: folder, withIntermediateDirectories: false)
        for port in [123, 5432] {
            try files.createSymbolicLink(
                atPath: "\(folder)/.s.PGSQL.\(port)",
                withDestinationPath: "\(server.directory)/s/.s.PGSQL.5432"
            )
        }
        for (name, text, mode) in [
            ("passwords", "*:*:*:*:S3cret\n", 0o600), ("open-passwords", "*:*:*:*:S3cret\n", 0o644),
            ("right-passwords", "*:*:*:*:right\n", 0o600), ("services", services.replacing("DIR", with: folder), 0o600),
        ] {
            let path = "\(folder)/\(name)"
            try #require(
                files.createFile(atPath: path, contents: Data(text.utf8), attributes: [.posixPermissions: mode])
            )
        }
        return (server, folder)
    }

    @Test(
        "The label of a connection shows only what cannot be part of a password",
        arguments: [
            ("postgresql://u:p%2Fw@h:5433/db", "host=h port=5433 dbname=db user=u"),
            ("postgresql://localhost:5433/db", "host=localhost port=5433 dbname=db"),
            ("postgresql://db:5432/app", "host=db port=5432 dbname=app"),
            ("postgresql://[::1]:5433/app", "host=::1 port=5433 dbname=app"),
            ("postgresql://10.0.0.1:5433/app", "host=10.0.0.1 port=5433 dbname=app"),
            ("postgresql://db:5433/app?user=me", "host=db port=5433 dbname=app user=me"),
            ("postgresql:///app?host=/tmp", "host=/tmp dbname=app"), ("", "the default server"),
            ("host=h,i port=1,2 dbname=d user=me@there password=p", "host=h,i port=1,2 dbname=d user=me@there"),
        ]
    )
    func label(_ conninfo: String, _ expected: String) throws {
        #expect(try ConnectionTarget(conninfo).label == expected)
    }

    @Test("Errors of the server and libpq stay readable where nothing can be part of a password")
    func legibleErrors() async throws {
        let server = try await TemporaryPostgres.shared()
        let socket = "host=\(server.directory)/s"
        for (conninfo, expected) in [
            ("\(socket) user=app dbname=nowhere", "database \"nowhere\" does not exist"),
            ("\(socket) user=nobody dbname=postgres", "role \"nobody\" does not exist"),
            ("\(socket) user=app dbname=postgres options='-c work_mem=much'", "invalid value for parameter …"),
            ("host=/nonexistent user=app", "socket \"/nonexistent/.s.PGSQL.5432\" failed: No such file or directory"),
            ("\(socket) sslmode=much", "invalid sslmode value: …"),
        ] {
            let error = try await databaseError { _ = try await PostgresConnection.connect(conninfo) }
            #expect(error?.message.contains(expected) == true, "\(error?.message ?? "no error")")
        }
    }
}
