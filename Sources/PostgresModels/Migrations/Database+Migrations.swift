import Foundation
import Logging

extension Database {
    /// Applies the migrations that have not been applied yet, in their order.
    ///
    /// Any number of processes may call it at the same time: they take turns by an advisory lock, which is polled
    /// rather than waited for, because a session blocked in `pg_advisory_lock` holds a snapshot and can bring a
    /// `CREATE INDEX CONCURRENTLY` of the other to a deadlock. Each migration runs in a transaction of its own, together
    /// with the note that it was applied.
    ///
    /// - Parameters:
    ///   - migrations: All migrations of the application, applied ones included.
    ///   - patience: How long to wait for another process that is migrating. Default: 10 minutes.
    /// - Returns: The names of those that were applied now.
    /// - Throws: ``MigrationError`` with code `.failed`, `.changedAfterApplying`, `.duplicateName` or `.locked`;
    ///   ``DatabaseError``; `CancellationError`.
    @discardableResult
    public func migrate(_ migrations: [Migration], patience: Duration = .seconds(600)) async throws -> [String] {
        let plans = try await MigrationPlan.make(migrations)
        return try await withMigrationLock(patience, plans) { migrator in
            let applied = try await migrator.applied()
            for plan in plans {
                guard let record = applied[plan.migration.name], record.checksum != plan.checksum else { continue }
                throw MigrationError(
                    code: .changedAfterApplying,
                    message: """
                        The migration "\(plan.migration.name)" was changed after it had been applied. Restore it, and \
                        write the change as a new migration.
                        """,
                    migration: plan.migration.name
                )
            }
            var names: [String] = []
            for plan in plans where applied[plan.migration.name] == nil {
                try Task.checkCancellation()
                try await migrator.apply(plan)
                logger.info("Applied a migration", metadata: ["migration": "\(plan.migration.name)"])
                names.append(plan.migration.name)
            }
            return names
        }
    }

    /// How the migrations stand; nothing is changed.
    ///
    /// - Parameter migrations: All migrations of the application.
    /// - Returns: One status per migration, in their order.
    /// - Throws: ``DatabaseError``; `CancellationError`.
    public func migrationStatus(_ migrations: [Migration]) async throws -> [MigrationStatus] {
        let plans = try await MigrationPlan.make(migrations)
        let exists = try await query("SELECT to_regclass('stored_files.migrations') IS NOT NULL").first?
            .decode(Bool.self, at: 0)
        let applied = exists == true ? try await pool.withConnection { try await Migrator($0, self).applied() } : [:]
        return plans.map { plan in
            let record = applied[plan.migration.name]
            return MigrationStatus(
                name: plan.migration.name,
                appliedAt: record?.date,
                isChanged: record.map { $0.checksum != plan.checksum } ?? false
            )
        }
    }

    /// Undoes the latest applied migrations, the last one first.
    ///
    /// - Parameters:
    ///   - migrations: All migrations of the application.
    ///   - count: How many to undo. Default: 1.
    /// - Returns: The names of those that were undone.
    /// - Throws: ``MigrationError`` with code `.irreversible` for one without `down`, before anything is undone; as
    ///   ``migrate(_:patience:)``.
    @discardableResult
    public func revert(_ migrations: [Migration], count: Int = 1) async throws -> [String] {
        let plans = try await MigrationPlan.make(migrations)
        return try await withMigrationLock(.seconds(600), plans) { migrator in
            let applied = try await migrator.applied()
            let chosen = plans.filter { applied[$0.migration.name] != nil }.suffix(count).reversed()
            var undoing: [(plan: MigrationPlan, pieces: [SchemaPiece])] = []
            for plan in chosen {
                guard let down = plan.migration.down else {
                    throw MigrationError(
                        code: .irreversible,
                        message: "The migration \"\(plan.migration.name)\" does not say how to undo it.",
                        migration: plan.migration.name
                    )
                }
                undoing.append((plan, try await Migration.pieces(of: down)))
            }
            for (plan, pieces) in undoing { try await migrator.revert(plan, pieces) }
            return undoing.map(\.plan.migration.name)
        }
    }

    private func withMigrationLock<Result>(
        _ patience: Duration,
        _ plans: [MigrationPlan],
        _ body: (Migrator) async throws -> Result
    ) async throws -> Result {
        let components = MigrationPlan.components(plans, attachments.components)
        return try await pool.withConnection { connection in
            let migrator = Migrator(connection, self, components)
            try await migrator.lock(patience)
            do {
                try await migrator.prepare()
                let result = try await body(migrator)
                await migrator.unlock()
                return result
            } catch {
                await migrator.unlock()
                throw error
            }
        }
    }
}
