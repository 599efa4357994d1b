import Foundation
import Logging
import NIOCore

/// Migrates on one connection, which holds the lock.
struct Migrator {
    struct Record {
        let checksum: String
        let date: Date
    }

    /// "stored" in ASCII: an advisory lock is a number that everybody must agree on.
    private static let lockKey: Int64 = 0x73_74_6f_72_65_64

    private let connection: PostgresConnection
    private let database: Database
    private let components: [SchemaComponent]
    private let lockTimeout: Duration?

    init(
        _ connection: PostgresConnection,
        _ database: Database,
        _ components: [SchemaComponent] = [],
        lockTimeout: Duration? = nil
    ) {
        self.connection = connection
        self.database = database
        self.components = components
        self.lockTimeout = lockTimeout
    }

    func lock(_ patience: Duration) async throws {
        let deadline = ContinuousClock.now + patience
        while try await !tryLock() {
            guard ContinuousClock.now < deadline else {
                throw MigrationError(
                    code: .locked,
                    message: "Another process has been migrating this database for \(patience); is it stuck?"
                )
            }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    /// Takes the lock if it is free.
    ///
    /// Not cancellable: a statement that was stopped, or seems to have been, may have taken the lock, which would stay
    /// with the connection in the pool.
    private func tryLock() async throws -> Bool {
        try Task.checkCancellation()
        database.countStatement()
        let result = try await connection.simpleQuery(
            "SELECT pg_try_advisory_lock(\(Self.lockKey))",
            cancellable: false
        )
        return withExtendedLifetime(result) { result.cell(0, 0)?.first == UInt8(ascii: "t") }
    }

    /// Gives the lock back, also for a cancelled task; a connection on which that fails is closed, which frees it too.
    func unlock() async {
        do {
            try await connection.simpleQuery("SELECT pg_advisory_unlock(\(Self.lockKey))", cancellable: false)
        } catch {
            connection.close()
        }
    }

    func prepare() async throws {
        // The second table came with components: where it is, all is.
        if try await !run("SELECT to_regclass('stored_files.component_migrations') IS NOT NULL").isTrue {
            for component in components {
                for requirement in component.requirements { try await run(requirement) }
            }
            // Not IF NOT EXISTS: that needs the right to make schemas although somebody has made this one.
            if try await !run("SELECT to_regnamespace('stored_files') IS NOT NULL").isTrue {
                try await run("CREATE SCHEMA stored_files")
            }
            try await run(
                """
                CREATE TABLE IF NOT EXISTS stored_files.migrations (\
                name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())
                """
            )
            try await run(
                """
                CREATE TABLE IF NOT EXISTS stored_files.component_migrations (\
                component text NOT NULL, migration text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now(), \
                PRIMARY KEY (component, migration))
                """
            )
        }
        for component in components { try await install(component) }
    }

    /// What components do after the migrations of the application.
    func conclude() async throws {
        for component in components {
            for statement in component.conclusion {
                try await perform([.sql(statement)], nil, Migration("conclusion of \(component.name)") { _ in })
            }
        }
    }

    /// Brings a component up to date.
    private func install(_ component: SchemaComponent) async throws {
        let rows = try await run(
            "SELECT migration FROM stored_files.component_migrations WHERE component = \(component.name)"
        )
        let applied = Set(try rows.map { try $0.decode(String.self, at: 0) })
        for migration in component.migrations where !applied.contains(migration.name) {
            try await install(migration, of: component)
        }
        if let definitions = component.definitions {
            let prefix = "definitions "
            let installed =
                applied.compactMap { $0.hasPrefix(prefix) ? Int($0.dropFirst(prefix.count)) : nil }.max() ?? 0
            if installed < definitions.version {
                let migration = Migration("\(prefix)\(definitions.version)") { schema in
                    for statement in definitions.statements { try await schema.execute(statement) }
                }
                try await install(migration, of: component)
            }
        }
        guard !component.upkeep.isEmpty else { return }
        try await perform(component.upkeep.map { .sql($0) }, nil, Migration("upkeep of \(component.name)") { _ in })
    }

    private func install(_ migration: Migration, of component: SchemaComponent) async throws {
        let note: SQL = """
            INSERT INTO stored_files.component_migrations (component, migration) \
            VALUES (\(component.name), \(migration.name))
            """
        try await perform(try await Migration.pieces(of: migration.up), note, migration)
        database.logger.info(
            "Installed a part of the schema",
            metadata: ["component": "\(component.name)", "migration": "\(migration.name)"]
        )
    }

    func applied() async throws -> [String: Record] {
        let rows = try await run("SELECT name, checksum, applied_at FROM stored_files.migrations")
        var records: [String: Record] = [:]
        for row in rows {
            records[try row.decode(String.self, at: 0)] = Record(
                checksum: try row.decode(String.self, at: 1),
                date: try row.decode(Date.self, at: 2)
            )
        }
        return records
    }

    func apply(_ plan: MigrationPlan) async throws {
        let note: SQL = """
            INSERT INTO stored_files.migrations (name, checksum) VALUES (\(plan.migration.name), \(plan.checksum))
            """
        try await perform(plan.pieces, note, plan.migration)
    }

    func revert(_ plan: MigrationPlan, _ pieces: [SchemaPiece]) async throws {
        let note: SQL = "DELETE FROM stored_files.migrations WHERE name = \(plan.migration.name)"
        try await perform(pieces, note, plan.migration)
    }

    private func perform(_ pieces: [SchemaPiece], _ note: SQL?, _ migration: Migration) async throws {
        let statements = try pieces.flatMap { try $0.statements(components) }
        let isTransaction = !migration.isOutsideTransaction
        var limits: [(name: String, value: String)] = []
        do {
            if isTransaction { try await connection.simpleQuery(try begin()) } else { limits = try await liftLimits() }
            for statement in statements { try await run(statement) }
            if let note { try await run(note) }
            if isTransaction { try Task.checkCancellation() }
        } catch {
            if isTransaction { await rollBack() }
            await putBack(limits)
            throw failure(of: migration, error)
        }
        await putBack(limits)
        guard isTransaction else { return }
        do {
            try await connection.simpleQuery("COMMIT", cancellable: false)
        } catch let error as DatabaseError where error.code != .connectionLost && connection.isUsable {
            // A deferred constraint, for example: the server has rolled back.
            await rollBack()
            throw failure(of: migration, error)
        } catch {
            throw MigrationError(
                code: .outcomeUnknown,
                message: """
                    The connection was lost during the COMMIT of the migration "\(migration.name)", which may or may not \
                    have been applied. Migrate again: what was applied is not applied twice.
                    """,
                migration: migration.name,
                underlying: error
            )
        }
    }

    /// A limit that is meant for requests must not end a migration.
    private func begin() throws -> String {
        var options = TransactionOptions.maintenance
        if let lockTimeout {
            let milliseconds = min(max(1, lockTimeout.nanoseconds / 1_000_000), UInt64(Int32.max))
            options.settings.append(("lock_timeout", "\(milliseconds)"))
        }
        return try options.begin()
    }

    /// Lifts the limits of the session for statements outside of a transaction; what they were, to be put back.
    private func liftLimits() async throws -> [(name: String, value: String)] {
        var former: [(name: String, value: String)] = []
        for limit in TransactionOptions.withoutLimits {
            let rows = try await run(
                "SELECT current_setting(\(limit.name)), set_config(\(limit.name), \(limit.value), false)"
            )
            if let row = rows.first { former.append((limit.name, try row.decode(String.self, at: 0))) }
        }
        return former
    }

    private func putBack(_ limits: [(name: String, value: String)]) async {
        for limit in limits where connection.isUsable {
            do {
                try await run("SELECT set_config(\(limit.name), \(limit.value), false)")
            } catch {
                // Whoever gets it next expects its limits.
                connection.close()
            }
        }
    }

    private func rollBack() async {
        guard connection.isUsable, connection.transactionStatus != .idle else { return }
        do {
            try await connection.simpleQuery("ROLLBACK", cancellable: false, within: .seconds(5))
        } catch {
            connection.close()
        }
    }

    private func failure(of migration: Migration, _ error: any Error) -> any Error {
        if error is CancellationError { return error }
        let rest = migration.isOutsideTransaction ? "; what ran before the failure stays" : " and was rolled back"
        return MigrationError(
            code: .failed,
            message: "The migration \"\(migration.name)\" failed\(rest). The cause says why.",
            migration: migration.name,
            underlying: error
        )
    }

    @discardableResult
    private func run(_ sql: SQL) async throws -> Rows {
        try await run(sql.statement())
    }

    @discardableResult
    private func run(_ statement: Statement) async throws -> Rows {
        database.countStatement()
        // Each is run once: preparing it under a name would only fill the cache.
        return Rows(
            try await connection.query(statement.text, statement.parameters, cache: false),
            attachments: database.attachments
        )
    }
}

extension Rows {
    fileprivate var isTrue: Bool {
        get throws { try first?.decode(Bool.self, at: 0) ?? false }
    }
}
