import Platform
import PostgresModels
import Storages

extension Journal {
    /// The outcome of noting a file.
    enum Reservation {
        /// The field has triggers that will claim the file.
        case made
        /// It has none, and nothing was noted: the reaper would take a file for abandoned that a row of such a table
        /// names.
        ///
        /// It may be so for a moment only where the storage has fields with triggers: another program has changed
        /// tables.
        case none(isMomentary: Bool, StorageName.Room?)
        /// The column has no room for the name, and nothing was noted.
        case tooLong(StorageName.Room)
    }

    /// Notes that a file is about to be uploaded.
    ///
    /// - Throws: ``StorageError`` with code `.invalidConfiguration` when the column's triggers are those of another
    ///   storage; ``DatabaseError`` with code `.undefinedObject` or `.missingColumn` when there is no such column that
    ///   could name it.
    func reserve(_ name: StorageName, for field: Field, claimPeriod: Duration) async throws -> Reservation {
        let first = try await ask(name, for: field, claimPeriod)
        guard case .none(isMomentary: true, _) = first else { return first }
        // Its table may have come back between the looks of the statement.
        return try await ask(name, for: field, claimPeriod)
    }

    /// Requests a reservation, or the reason why there is none.
    private func ask(_ name: StorageName, for field: Field, _ claimPeriod: Duration) async throws -> Reservation {
        let row: Row
        do {
            row = try await only(
                """
                SELECT c.relation IS NOT NULL, c.has_column, c.room, c.is_in_bytes, CASE WHEN coalesce(c.room >= \
                CASE WHEN c.is_in_bytes THEN octet_length(\(name.string)) ELSE char_length(\(name.string)) END, true) \
                THEN \(raw: JournalSchema.name).reserve(\(field.storage.rawValue), \(name.string), c.relation, \
                \(field.column), make_interval(secs => \(claimPeriod.inSeconds)), \(field.isImage)) END, EXISTS \
                (SELECT FROM \(raw: JournalSchema.name).fields WHERE storage = \(field.storage.rawValue) AND ended_at \
                IS NULL) FROM \(sql: Self.column(of: field)) AS c
                """,
                field
            )
        } catch let error as DatabaseError where error.code == .undefinedObject {
            return try await withoutSchema(name, field)
        }
        let room = try room(in: row, field)
        if let room, !name.fits(into: room) { return .tooLong(room) }
        guard let storage = try row.decode(String?.self, at: 4) else {
            return .none(isMomentary: try row.decode(Bool.self, at: 5), room)
        }
        if storage == field.storage.rawValue { return .made }
        throw StorageError(
            .invalidConfiguration,
            """
            The triggers of "\(field.column)" in "\(field.table)" are those of the storage "\(storage)", but the \
            model says "\(field.storage)". Name the same storage in the model and in the migration.
            """
        )
    }

    /// Returns the reservation in a database without the functions of this version, for a table of the application's
    /// own.
    ///
    /// No migration of this library has run there. A journal of an earlier version is an error.
    private func withoutSchema(_ name: StorageName, _ field: Field) async throws -> Reservation {
        let row = try await only(
            """
            SELECT c.relation IS NOT NULL, c.has_column, c.room, c.is_in_bytes, \
            to_regclass('\(raw: JournalSchema.name).journal') IS NOT NULL FROM \(sql: Self.column(of: field)) AS c
            """,
            field
        )
        guard try !row.decode(Bool.self, at: 4) else {
            throw StorageError(
                .invalidConfiguration,
                """
                The schema \(JournalSchema.name) of the database is that of an earlier version. Migrate before files \
                are stored: database.migrate(…) brings it up to date.
                """
            )
        }
        let room = try room(in: row, field)
        if let room, !name.fits(into: room) { return .tooLong(room) }
        return .none(isMomentary: false, room)
    }

    // MARK: Columns

    /// The column of a field, as one row: its table, whether it is there, and the room it has.
    private static func column(of field: Field) -> SQL {
        """
        (SELECT t.relation, a.attname IS NOT NULL AS has_column, \(sql: ColumnRoom.columns) \
        FROM (SELECT to_regclass(\(JournalSchema.regclass(field.table))) AS relation) AS t \
        LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = t.relation AND a.attname = \(field.column) \
        AND NOT a.attisdropped \(sql: ColumnRoom.joins))
        """
    }

    /// The room that the column has, `nil` for any length; what is not there is an error.
    private func room(in row: Row, _ field: Field) throws -> StorageName.Room? {
        guard try row.decode(Bool.self, at: 0) else {
            throw missing("table \"\(field.table)\"", .undefinedObject, field)
        }
        guard try row.decode(Bool.self, at: 1) else {
            throw missing("column \"\(field.column)\" of \"\(field.table)\"", .missingColumn, field)
        }
        return try ColumnRoom.room(count: row.decode(Int?.self, at: 2), isInBytes: row.decode(Bool?.self, at: 3))
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

    private func only(_ sql: SQL, _ field: Field) async throws -> Row {
        guard let row = try await run(sql).first else {
            throw DatabaseError(
                code: .queryFailed,
                message: "The server returned no row for the reservation of a file.",
                table: field.table,
                column: field.column
            )
        }
        return row
    }
}
