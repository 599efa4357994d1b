import Platform
import PostgresModels
import Storages

/// The tables `stored_files.reservations` and `stored_files.journal`, as uploads and compensations use them.
///
/// Its statements never run in a caller's transaction: what they write must stay when that does not.
struct Journal: Sendable {
    let database: Database

    /// A Boolean value that indicates whether statements run beside the pool, whose only connection a transaction
    /// around the caller may hold.
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

    /// Turns the rows of deleted objects into tombstones, which keep a writer that knows no better from using the
    /// names.
    func keepTombstones(of names: [StorageName], in storage: StorageID) async throws {
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

    func run(_ sql: SQL) async throws -> Rows {
        isIndependent ? try await database.runIndependently(sql) : try await database.query(sql)
    }
}
