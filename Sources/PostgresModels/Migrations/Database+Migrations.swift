import Foundation
import Logging

extension Database {
    /// Applies the migrations that have not been applied yet, in their order.
    ///
    /// Any number of processes may call it at the same time: they take turns by an advisory lock, which is polled
    /// rather than waited for, because a session that is blocked holds a snapshot and can bring a
    /// `CREATE INDEX CONCURRENTLY` of the other to a deadlock. The lock is held by a transaction on a connection of its
    /// own, which a pooler in transaction mode leaves alone: a pooler needs two connections to the server, unless the
    /// configuration has a ``DatabaseConfiguration/directAddress``, by which both go. Each migration runs in a
    /// transaction of its own, together with the note that it was applied.
    ///
    /// - Parameters:
    ///   - migrations: All migrations of the application, applied ones included.
    ///   - timeout: The time to wait for another process that is migrating. Default: 10 minutes.
    ///   - lockTimeout: How long a statement waits for a lock, at least 1 millisecond; `nil` is without limit. While a
    ///     change of a table waits for a long query, all later queries on the table wait for it: better the migration
    ///     fails, and is tried again at a quieter time. It does not hold outside of a transaction, where
    ///     `CREATE INDEX CONCURRENTLY` rightly waits for long. Default: 10 seconds.
    /// - Returns: The names of those that were applied now.
    /// - Throws: ``MigrationError`` with code `.failed`, `.outcomeUnknown`, `.changedAfterApplying`, `.duplicateName`,
    ///   `.locked` or `.lockLost`; ``DatabaseError``; `CancellationError`.
    @discardableResult
    public func migrate(
        _ migrations: [Migration],
        timeout: Duration = .seconds(600),
        lockTimeout: Duration? = .seconds(10)
    ) async throws -> [String] {
        let plans = try await MigrationPlan.make(migrations)
        let names = try await withMigrationLock(timeout: timeout, lockTimeout: lockTimeout, plans: plans) { migrator in
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
            try await migrator.conclude()
            return names
        }
        for provider in attachments.providers { await provider.didMigrate(self) }
        return names
    }

    /// Reports how the migrations stand; nothing is changed.
    ///
    /// - Parameter migrations: All migrations of the application.
    /// - Returns: One status per migration, in their order.
    /// - Throws: ``DatabaseError``; `CancellationError`.
    public func migrationStatus(_ migrations: [Migration]) async throws -> [MigrationStatus] {
        let plans = try await MigrationPlan.make(migrations)
        let exists = try await query("SELECT to_regclass('stored_files.migrations') IS NOT NULL").first?
            .decode(Bool.self, at: 0)
        let applied =
            exists == true ? try await pool.withConnection { try await Migrator($0, of: self).applied() } : [:]
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
    ///   - count: How many to undo, at least 0. Default: 1.
    ///   - lockTimeout: As for ``migrate(_:timeout:lockTimeout:)``. Default: 10 seconds.
    /// - Returns: The names of those that were undone.
    /// - Throws: ``MigrationError`` with code `.irreversible` for one without `down`, and `.unknownApplied` when one
    ///   that is not among the given was applied later than the oldest to be undone, both before anything is undone; as
    ///   ``migrate(_:timeout:lockTimeout:)``; ``DatabaseError`` with code `.invalidArgument` for a negative count.
    @discardableResult
    public func revert(
        _ migrations: [Migration],
        count: Int = 1,
        lockTimeout: Duration? = .seconds(10)
    ) async throws -> [String] {
        guard count >= 0 else {
            throw DatabaseError(code: .invalidArgument, message: "\(count) migrations cannot be undone.")
        }
        let plans = try await MigrationPlan.make(migrations)
        return try await withMigrationLock(timeout: .seconds(600), lockTimeout: lockTimeout, plans: plans) { migrator in
            let applied = try await migrator.applied()
            let chosen = plans.filter { applied[$0.migration.name] != nil }.suffix(count).reversed()
            try Self.refuseUnknown(
                in: applied,
                plans,
                after: chosen.compactMap { applied[$0.migration.name]?.date }.min()
            )
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

    /// Refuses to revert a migration on top of which an unknown one was applied: that has to be reverted before, by a
    /// version of the program that knows it.
    private static func refuseUnknown(
        in applied: [String: Migrator.Record],
        _ plans: [MigrationPlan],
        after oldest: Date?
    ) throws {
        guard let oldest else { return }
        let known = Set(plans.map(\.migration.name))
        let unknown = applied.filter { !known.contains($0.key) && $0.value.date >= oldest }
        guard let latest = unknown.max(by: { $0.value.date < $1.value.date })?.key else { return }
        throw MigrationError(
            code: .unknownApplied,
            message: """
                The migration "\(latest)", which is not among those given, was applied later. Revert it first, with \
                the version of the program that has it.
                """,
            migration: latest
        )
    }

    private func withMigrationLock<Result>(
        timeout: Duration,
        lockTimeout: Duration?,
        plans: [MigrationPlan],
        _ body: (Migrator) async throws -> Result
    ) async throws -> Result {
        let components = MigrationPlan.components(plans, attachments.components)
        // The lock has a connection of its own, which neither waits for one of the pool nor keeps one from it.
        let locks = sidePool.sibling(size: 1)
        do {
            let result = try await locks.withConnection { connection in
                let lock = try await MigrationLock(on: connection, timeout: timeout, logger: logger)
                do {
                    // The lock was taken whether or not the task was cancelled meanwhile.
                    try Task.checkCancellation()
                    let result = try await migrationPool.withConnection { connection in
                        let migrator = Migrator(
                            connection,
                            of: self,
                            components: components,
                            holding: lock,
                            lockTimeout: lockTimeout
                        )
                        try await migrator.prepare()
                        return try await body(migrator)
                    }
                    await lock.unlock()
                    return result
                } catch {
                    await lock.unlock()
                    throw error
                }
            }
            await locks.close()
            return result
        } catch {
            await locks.close()
            throw error
        }
    }

    /// The pool for migrations, past a pooler when there is a way: a migration may set something for its session.
    private var migrationPool: ConnectionPool {
        pool.configuration.directAddress == nil ? pool : sidePool
    }
}
