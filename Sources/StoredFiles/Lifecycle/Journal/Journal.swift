import PostgresModels
import Storages

/// The table `stored_files.journal`, as uploads and compensations use it.
///
/// Its statements never run in a caller's transaction: what they write must stay when that does not.
struct Journal: Sendable {
    let database: Database

    /// Whether they run beside the pool, whose only connection a transaction around the caller may hold.
    let isIndependent: Bool

    /// The field that a file is reserved for.
    struct Field: Sendable {
        let table: String
        let column: String
        let storage: StorageID
        let isImage: Bool
    }

    /// Notes that a file is about to be uploaded.
    ///
    /// - Returns: Whether the field has triggers that will claim the file. Where it has none nothing is noted: the
    ///   reaper would take a file for abandoned that a row of such a table names.
    /// - Throws: ``StorageError`` with code `.invalidConfiguration` when the column's triggers are those of another storage.
    func reserve(_ name: StorageName, for field: Field, claimPeriod: Duration) async throws -> Bool {
        let rows: Rows
        do {
            rows = try await run(
                """
                INSERT INTO stored_files.journal (storage, name, state, lease_until, is_image) \
                SELECT f.storage, \(name.string), 'uploading', \
                clock_timestamp() + make_interval(secs => \(claimPeriod.inSeconds)), \(field.isImage) \
                FROM stored_files.fields AS f WHERE f.relation = to_regclass(\(JournalSchema.regclass(field.table))) \
                AND f.column_name = \(field.column) AND f.storage = \(field.storage.rawValue)
                """
            )
        } catch let error as DatabaseError where error.code == .undefinedObject {
            // No migration of this library has run: a table of the application's own.
            return false
        }
        if rows.affectedRows > 0 { return true }
        let other = try await run(
            """
            SELECT storage FROM stored_files.fields \
            WHERE relation = to_regclass(\(JournalSchema.regclass(field.table))) AND column_name = \(field.column)
            """
        )
        guard let storage = try other.first?.decode(String.self, at: 0) else { return false }
        throw StorageError(
            .invalidConfiguration,
            """
            The triggers of "\(field.column)" in "\(field.table)" are those of the storage "\(storage)", but the model says \
            "\(field.storage)". Name the same storage in the model and in the migration.
            """
        )
    }

    /// Keeps files whose uploads are under way from being taken for abandoned.
    func extend(_ keys: [JournalKey], claimPeriod: Duration) async throws {
        _ = try await run(
            """
            UPDATE stored_files.journal AS j \
            SET lease_until = clock_timestamp() + make_interval(secs => \(claimPeriod.inSeconds)) \
            FROM unnest(\(keys.map(\.storage.rawValue)), \(keys.map(\.name.string))) AS k (storage, name) \
            WHERE j.storage = k.storage AND j.name = k.name AND j.state = 'uploading'
            """
        )
    }

    /// Takes a file, that no row has claimed, for deletion by this process.
    ///
    /// There is nothing to wait for as with condemned names: whoever can know the name came after its reservation, and
    /// therefore sees it, or fails.
    ///
    /// - Returns: Whether it may be deleted. It may not when a row has claimed it, is just about to, or when a reaper was
    ///   faster.
    func giveUp(_ key: JournalKey, lease: Duration) async throws -> Bool {
        let rows = try await run(
            """
            UPDATE stored_files.journal AS j SET state = 'deleting', since = clock_timestamp(), \
            transaction_id = NULL, attempts = 1, \
            lease_until = clock_timestamp() + make_interval(secs => \(lease.inSeconds)) \
            WHERE (j.storage, j.name) IN (SELECT u.storage, u.name FROM stored_files.journal AS u \
            WHERE u.storage = \(key.storage.rawValue) AND u.name = \(key.name.string) AND u.state = 'uploading' \
            FOR UPDATE SKIP LOCKED)
            """
        )
        return rows.affectedRows > 0
    }

    /// Takes back a reservation.
    func release(_ key: JournalKey) async throws {
        _ = try await run(
            """
            DELETE FROM stored_files.journal WHERE storage = \(key.storage.rawValue) AND name = \(key.name.string) \
            AND state = 'uploading'
            """
        )
    }

    /// Notes that objects are gone: their tombstones keep the names from being used by a writer that knows no better.
    func bury(_ names: [StorageName], in storage: StorageID) async throws {
        _ = try await run(
            """
            UPDATE stored_files.journal SET state = 'deleted', since = clock_timestamp(), lease_until = NULL, \
            last_error = NULL, transaction_id = pg_current_xact_id() \
            WHERE storage = \(storage.rawValue) AND name = ANY (\(names.map(\.string))) AND state = 'deleting'
            """
        )
    }

    /// Notes that objects could not be deleted, and when to try again.
    func postpone(_ failures: [Failure], in storage: StorageID) async throws {
        _ = try await run(
            """
            UPDATE stored_files.journal AS j SET last_error = f.error, \
            lease_until = clock_timestamp() + make_interval(secs => f.delay) \
            FROM unnest(\(failures.map(\.name.string)), \(failures.map { String($0.message.prefix(500)) }), \
            \(failures.map(\.delay.inSeconds))) AS f (name, error, delay) \
            WHERE j.storage = \(storage.rawValue) AND j.name = f.name AND j.state = 'deleting'
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
