public import Logging
import NIOConcurrencyHelpers

/// A transaction in progress, or a savepoint within one; it is valid during the body it was given to.
///
/// It holds one connection, on which one statement runs at a time: run statements of a transaction one after another,
/// not from several tasks at once.
public final class Transaction: DatabaseSession {
    private struct State {
        var isOpen = true
        var savepoints = 0
        var onCommit: [@Sendable () async -> Void] = []
        var onRollback: [@Sendable () async -> Void] = []
    }

    /// The innermost transaction that the running code is part of, `nil` outside of any.
    ///
    /// For layers above that must not wait, from inside, for a connection or a lock that the transaction holds.
    @TaskLocal public static var current: Transaction?

    private let database: Database
    private let connection: PostgresConnection
    private let state = NIOLockedValueBox(State())

    init(_ database: Database, on connection: PostgresConnection) {
        self.database = database
        self.connection = connection
    }

    /// What layers above hung onto the database.
    public var attachments: DatabaseAttachments { database.attachments }

    /// Where notable events go.
    public var logger: Logger { database.logger }

    /// Runs one statement in the transaction.
    ///
    /// - Parameter statement: The statement and its bound values.
    /// - Returns: The rows.
    /// - Throws: ``DatabaseError`` by SQLSTATE, after which PostgreSQL accepts nothing but a rollback;
    ///   `.commandInProgress` when another task runs a statement in it; `.closed` after the body has ended;
    ///   `CancellationError`.
    public func run(_ statement: Statement) async throws -> Rows {
        guard state.withLockedValue({ $0.isOpen }) else {
            throw DatabaseError(
                code: .closed,
                message: "The transaction has ended; use it only within the body that it was given to."
            )
        }
        return try await database.run(statement, on: connection)
    }

    /// Has something done once the transaction is committed, after its connection went back to the pool.
    ///
    /// Within a savepoint it is forgotten when the savepoint rolls back.
    ///
    /// - Parameter work: What to do; it runs although the task may be cancelled.
    public func onCommit(_ work: @escaping @Sendable () async -> Void) {
        state.withLockedValue { $0.onCommit.append(work) }
    }

    /// Has something undone when the transaction, or the savepoint that this is, rolls back.
    ///
    /// It runs after the rollback, last registered first, although the task may be cancelled. It does *not* run when the
    /// outcome of the COMMIT is unknown: what may have been committed must not be undone.
    ///
    /// - Parameter work: What to do.
    public func onRollback(_ work: @escaping @Sendable () async -> Void) {
        state.withLockedValue { $0.onRollback.append(work) }
    }

    /// Runs a body in a savepoint: when it throws, what it did is undone, and the transaction goes on.
    ///
    /// - Parameter body: What to do.
    /// - Returns: What the body returns.
    /// - Throws: What the body throws; ``DatabaseError``.
    @discardableResult
    public func transaction<Result>(_ body: (Transaction) async throws -> Result) async throws -> Result {
        let name = state.withLockedValue { state in
            state.savepoints += 1
            return "s\(state.savepoints)"
        }
        try await connection.simpleQuery("SAVEPOINT \(name)")
        let inner = Transaction(database, on: connection)
        do {
            let result = try await Transaction.$current.withValue(inner) { try await body(inner) }
            inner.end()
            try Task.checkCancellation()
            try await connection.simpleQuery("RELEASE SAVEPOINT \(name)", cancellable: false)
            let hooks = inner.takeHooks()
            state.withLockedValue { state in
                state.onCommit += hooks.onCommit
                state.onRollback += hooks.onRollback
            }
            return result
        } catch {
            inner.end()
            let hooks = inner.takeHooks()
            do {
                // Not cancellable: a savepoint left open would swallow what follows.
                try await connection.simpleQuery("ROLLBACK TO SAVEPOINT \(name)", cancellable: false)
                try await connection.simpleQuery("RELEASE SAVEPOINT \(name)", cancellable: false)
            } catch let failure {
                // The connection is gone, and the whole transaction with it; the first error says why.
                logger.debug("A savepoint could not be rolled back", metadata: ["error": "\(failure)"])
            }
            await Self.run(hooks.onRollback.reversed())
            throw error
        }
    }

    func end() {
        state.withLockedValue { $0.isOpen = false }
    }

    func takeHooks() -> (onCommit: [@Sendable () async -> Void], onRollback: [@Sendable () async -> Void]) {
        state.withLockedValue { state in
            defer { (state.onCommit, state.onRollback) = ([], []) }
            return (state.onCommit, state.onRollback)
        }
    }

    /// Runs hooks outside of the caller's task, whose cancellation must not reach them.
    static func run(_ hooks: [@Sendable () async -> Void]) async {
        guard !hooks.isEmpty else { return }
        await Task { for hook in hooks { await hook() } }.value
    }
}
