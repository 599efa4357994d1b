import Foundation
import Logging
import NIOCore
import Platform

/// Migrates on one connection, while another holds the lock.
struct Migrator {
    struct Record {
        let checksum: String
        let date: Date
    }

    private let connection: PostgresConnection
    private let database: Database
    private let components: [SchemaComponent]
    /// The lock; `nil` for a migrator that only reads.
    private let lock: MigrationLock?
    private let lockTimeout: Duration?

    init(
        _ connection: PostgresConnection,
        of database: Database,
        components: [SchemaComponent] = [],
        holding lock: MigrationLock? = nil,
        lockTimeout: Duration? = nil
    ) {
        self.connection = connection
        self.database = database
        self.components = components
        self.lock = lock
        self.lockTimeout = lockTimeout
    }

    func prepare() async throws {
        // The second table came with components: where it is, all is.
        if try await !run("SELECT to_regclass('stored_files.component_migrations') IS NOT NULL").isTrue {
            try await perform(try await bookkeeping(), of: Migration("tables of migrations") { _ in })
        }
        for component in components { try await install(component) }
    }

    /// The tables that say what was applied, after a look at what the server can do.
    private func bookkeeping() async throws -> [SchemaPiece] {
        var statements = components.flatMap(\.requirements)
        // Not IF NOT EXISTS: that needs the right to make schemas although somebody has made this one.
        if try await !run("SELECT to_regnamespace('stored_files') IS NOT NULL").isTrue {
            statements.append("CREATE SCHEMA stored_files")
        }
        statements += [
            """
            CREATE TABLE IF NOT EXISTS stored_files.migrations (\
            name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())
            """,
            """
            CREATE TABLE IF NOT EXISTS stored_files.component_migrations (\
            component text NOT NULL, migration text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now(), \
            PRIMARY KEY (component, migration))
            """,
        ]
        return statements.map { .sql($0) }
    }

    /// Runs what components do after the migrations of the application.
    func conclude() async throws {
        for component in components {
            for statement in component.conclusion {
                try await perform([.sql(statement)], of: Migration("conclusion of \(component.name)") { _ in })
            }
        }
    }

    /// Brings a component up to date.
    private func install(_ component: SchemaComponent) async throws {
        let rows = try await run(
            "SELECT migration FROM stored_files.component_migrations WHERE component = \(component.name)"
        )
        let applied = Set(try rows.map { try $0.decode(String.self, at: 0) })
        if applied.isEmpty, !component.requirements.isEmpty {
            // The tables of migrations may be older than the use of the component.
            let pieces = component.requirements.map { SchemaPiece.sql($0) }
            try await perform(pieces, of: Migration("requirements of \(component.name)") { _ in })
        }
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
        try await perform(component.upkeep.map { .sql($0) }, of: Migration("upkeep of \(component.name)") { _ in })
    }

    private func install(_ migration: Migration, of component: SchemaComponent) async throws {
        let note: SQL = """
            INSERT INTO stored_files.component_migrations (component, migration) \
            VALUES (\(component.name), \(migration.name))
            """
        try await perform(try await Migration.pieces(of: migration.up), of: migration, note: note)
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
        try await perform(plan.pieces, of: plan.migration, note: note)
    }

    func revert(_ plan: MigrationPlan, _ pieces: [SchemaPiece]) async throws {
        let note: SQL = "DELETE FROM stored_files.migrations WHERE name = \(plan.migration.name)"
        try await perform(pieces, of: plan.migration, note: note)
    }

    private func perform(_ pieces: [SchemaPiece], of migration: Migration, note: SQL? = nil) async throws {
        let statements = try pieces.flatMap { try $0.statements(components) }
        let isTransaction = !migration.isOutsideTransaction
        var limits: [(name: String, value: String)] = []
        do {
            if !isTransaction { try await lock?.check() }
            if isTransaction { try await connection.simpleQuery(try begin()) } else { limits = try await liftLimits() }
            for statement in statements { try await run(statement) }
            if let note { try await run(note) }
            if isTransaction {
                try Task.checkCancellation()
                try await lock?.check()
            }
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
                    The connection was lost during the COMMIT of the migration "\(migration.name)", which may or may \
                    not have been applied. Migrate again: what was applied is not applied twice.
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
    ///
    /// Only those that there are: behind a pooler the session may be another one afterwards.
    private func liftLimits() async throws -> [(name: String, value: String)] {
        let limits =
            TransactionOptions.limits.map { (name: $0, value: "0") }
            + [(name: "default_transaction_read_only", value: "off")]
        var former: [(name: String, value: String)] = []
        do {
            for limit in limits {
                // NULL where the server is too old to know it.
                let rows = try await run("SELECT current_setting(\(limit.name), true)")
                guard let value = try rows.first?.decode(String?.self, at: 0), value != limit.value else { continue }
                try await run("SELECT set_config(\(limit.name), \(limit.value), false)")
                former.append((limit.name, value))
            }
        } catch {
            // The next task that gets it would expect its limits.
            connection.close()
            throw error
        }
        return former
    }

    private func putBack(_ limits: [(name: String, value: String)]) async {
        for limit in limits where connection.isUsable {
            do {
                let sql: SQL = "SELECT set_config(\(limit.name), \(limit.value), false)"
                let statement = try sql.statement()
                // Also for a cancelled task.
                try await Task.detached { [connection] in
                    _ = try await connection.query(statement.text, statement.parameters, cache: false)
                }.value
            } catch {
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
        if error is CancellationError || error is MigrationError { return error }
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
