import PostgresModels
import Storages

/// The tables `stored_files.reservations` and `stored_files.journal`, as uploads and compensations use them.
///
/// Its statements never run in a caller's transaction: what they write must stay when that does not.
struct Journal: Sendable {
    let database: Database

    /// True when they run beside the pool, whose only connection a transaction around the caller may hold.
    let isIndependent: Bool

    /// Settings of the server for the transactions that decide on files.
    var settings: [String: String] = [:]

    /// The field that a file is reserved for.
    struct Field: Sendable {
        let table: String
        let column: String
        let storage: StorageID
        let isImage: Bool
    }

    /// The outcome of noting a file.
    enum Reservation {
        /// The field has triggers that will claim the file.
        case made
        /// It has none, and nothing was noted: the reaper would take a file for abandoned that a row of such a table
        /// names.
        ///
        /// It may be so for a moment only where the storage has fields with triggers: another program has changed
        /// tables.
        case none(isMomentary: Bool)
    }

    /// Notes that a file is about to be uploaded.
    ///
    /// - Throws: ``StorageError`` with code `.invalidConfiguration` when the column's triggers are those of another
    ///   storage; ``DatabaseError`` with code `.undefinedObject` or `.missingColumn` when there is no such column that
    ///   could name it.
    func reserve(_ name: StorageName, for field: Field, claimPeriod: Duration) async throws -> Reservation {
        let first = try await ask(name, for: field, claimPeriod)
        guard case .none(isMomentary: true) = first else { return first }
        // Its table may have come back between the looks of the statement.
        return try await ask(name, for: field, claimPeriod)
    }

    private func missing(_ what: String, _ code: DatabaseError.Code, _ field: Field) -> DatabaseError {
        DatabaseError(
            code: code,
            message: "There is no \(what) that could name the file, so it was not stored.",
            sqlState: code == .missingColumn ? "42703" : "42P01",
            table: field.table,
            column: field.column
        )
    }

    /// Asks for a reservation, or for the reason why there is none.
    private func ask(_ name: StorageName, for field: Field, _ claimPeriod: Duration) async throws -> Reservation {
        let table = JournalSchema.regclass(field.table)
        let rows: Rows
        do {
            rows = try await run(
                """
                SELECT \(raw: JournalSchema.name).reserve(\(field.storage.rawValue), \(name.string), \
                to_regclass(\(table)), \(field.column), make_interval(secs => \(claimPeriod.inSeconds)), \
                \(field.isImage)), \(sql: Self.hasColumn(field)), \
                EXISTS (SELECT FROM \(raw: JournalSchema.name).fields WHERE storage = \(field.storage.rawValue) \
                AND ended_at IS NULL)
                """
            )
        } catch let error as DatabaseError where error.code == .undefinedObject {
            // No migration of this library has run: a table of the application's own. Or one of an earlier version.
            let rows = try await run(
                "SELECT to_regclass('\(raw: JournalSchema.name).journal') IS NOT NULL, \(sql: Self.hasColumn(field))"
            )
            guard let row = rows.first else { throw unanswered(field) }
            guard try row.decode(Bool.self, at: 0) else {
                try requireColumn(row.decode(Bool?.self, at: 1), field)
                return .none(isMomentary: false)
            }
            throw StorageError(
                .invalidConfiguration,
                """
                The schema \(JournalSchema.name) of the database is that of an earlier version. Migrate before files \
                are stored: database.migrate(…) brings it up to date.
                """
            )
        }
        guard let row = rows.first else { throw unanswered(field) }
        guard let storage = try row.decode(String?.self, at: 0) else {
            try requireColumn(row.decode(Bool?.self, at: 1), field)
            return .none(isMomentary: try row.decode(Bool.self, at: 2))
        }
        if storage == field.storage.rawValue { return .made }
        throw StorageError(
            .invalidConfiguration,
            """
            The triggers of "\(field.column)" in "\(field.table)" are those of the storage "\(storage)", but the model \
            says "\(field.storage)". Name the same storage in the model and in the migration.
            """
        )
    }

    /// The SQL that tells whether the table of a field has its column; NULL without the table.
    private static func hasColumn(_ field: Field) -> SQL {
        let table = JournalSchema.regclass(field.table)
        return """
            CASE WHEN to_regclass(\(table)) IS NOT NULL THEN EXISTS (SELECT FROM pg_catalog.pg_attribute \
            WHERE attrelid = to_regclass(\(table)) AND attname = \(field.column) AND NOT attisdropped) END
            """
    }

    private func requireColumn(_ hasColumn: Bool?, _ field: Field) throws {
        guard let hasColumn else { throw missing("table \"\(field.table)\"", .undefinedObject, field) }
        guard hasColumn else {
            throw missing("column \"\(field.column)\" of \"\(field.table)\"", .missingColumn, field)
        }
    }

    private func unanswered(_ field: Field) -> DatabaseError {
        DatabaseError(
            code: .queryFailed,
            message: "The server returned no row for the reservation of a file.",
            table: field.table,
            column: field.column
        )
    }

    /// Keeps files whose uploads are under way from being taken for abandoned.
    func extend(_ keys: [JournalKey], claimPeriod: Duration) async throws {
        _ = try await run(
            """
            SELECT \(raw: JournalSchema.name).extend(\(keys.map(\.storage.rawValue)), \(keys.map(\.name.string)), \
            make_interval(secs => \(claimPeriod.inSeconds)))
            """
        )
    }

    /// Takes a file, that no row has claimed, for deletion by this process.
    ///
    /// - Returns: Whether it may be deleted. It may not when a row has claimed it, is just about to, or when a reaper
    ///   was faster.
    func giveUp(_ key: JournalKey, lease: Duration) async throws -> Bool {
        try await database.maintenanceTransaction(isIndependent: isIndependent, settings: settings) { transaction in
            let rows = try await transaction.query(
                """
                SELECT \(raw: JournalSchema.name).give_up(\(key.storage.rawValue), \(key.name.string), \
                make_interval(secs => \(lease.inSeconds)))
                """
            )
            return try rows.first?.decode(Bool.self, at: 0) ?? false
        }
    }

    /// Takes back a reservation.
    func release(_ key: JournalKey) async throws {
        _ = try await run(
            """
            DELETE FROM \(raw: JournalSchema.name).reservations WHERE storage = \(key.storage.rawValue) \
            AND name = \(key.name.string)
            """
        )
    }

    /// Moves names that statements let go of into the journal, ten thousand or so in a transaction.
    func drain(_ storage: StorageID, shouldStop: @Sendable () -> Bool = { false }) async throws {
        var place = "(0,0)"
        while !shouldStop() {
            let last = try await database.maintenanceTransaction(isIndependent: isIndependent) { transaction in
                try await transaction.query(
                    "SELECT \(raw: JournalSchema.name).drain(\(storage.rawValue), 1000, \(place)::text::tid)::text"
                ).first?.decode(String?.self, at: 0) ?? nil
            }
            guard let last else { return }
            place = last
        }
    }

    /// Notes that objects are gone: their tombstones keep the names from being used by a writer that knows no better.
    func bury(_ names: [StorageName], in storage: StorageID) async throws {
        try await database.maintenanceTransaction(isIndependent: isIndependent, settings: settings) { transaction in
            _ = try await transaction.query(
                "SELECT \(raw: JournalSchema.name).bury(\(storage.rawValue), \(names.map(\.string)))"
            )
        }
    }

    /// Notes that objects could not be deleted, and when to try again.
    func postpone(_ failures: [Failure], in storage: StorageID) async throws {
        _ = try await run(
            """
            SELECT \(raw: JournalSchema.name).postpone(\(storage.rawValue), \(failures.map(\.name.string)), \
            \(failures.map { String($0.message.prefix(500)) }), \(failures.map(\.delay.inSeconds)))
            """
        )
    }

    struct Failure: Sendable {
        let name: StorageName
        let message: String
        let delay: Duration
    }

    private func run(_ sql: SQL) async throws -> Rows {
        isIndependent ? try await database.runIndependently(sql) : try await database.query(sql)
    }
}

extension Duration {
    /// The duration for `make_interval`.
    var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }
}
