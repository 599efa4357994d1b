public import Logging
import NIOConcurrencyHelpers

/// A transaction in progress, or a savepoint within one; it is valid during the body it was given to.
///
/// It holds one connection, on which one statement runs at a time: run statements of a transaction one after another,
/// not from several tasks at once.
public final class Transaction: DatabaseSession {
    /// The work that the end of a transaction sets off.
    struct Hooks: Sendable {
        var onCommit: [@Sendable () async -> Void] = []
        var onRollback: [@Sendable () async -> Void] = []
    }

    private struct State {
        var isOpen = true
        /// The number of statements under way: one, or more where tasks get in each other's way.
        var running = 0
        var savepoints = 0
        var hooks = Hooks()
        var abandonedCursors: [String] = []
    }

    /// The transaction of the body that the running task is, or was, part of.
    @TaskLocal static var innermost: Transaction?

    /// The innermost open transaction that the running code is part of, `nil` outside of any.
    ///
    /// A task that outlives the body it was started in finds the next outer transaction that is still open, or `nil`.
    /// For layers above that must not wait, from inside, for a connection or a lock that the transaction holds.
    public static var current: Transaction? {
        var candidate = innermost
        while let transaction = candidate, !transaction.isOpen { candidate = transaction.parent }
        return candidate
    }

    private let database: Database
    private let connection: PostgresConnection
    private let parent: Transaction?
    private let state = NIOLockedValueBox(State())

    init(_ database: Database, on connection: PostgresConnection, in parent: Transaction?) {
        self.database = database
        self.connection = connection
        self.parent = parent
    }

    /// The objects that layers above hung onto the database.
    package var attachments: DatabaseAttachments { database.attachments }

    /// The logger of notable events.
    public var logger: Logger { database.logger }

    private var isOpen: Bool {
        state.withLockedValue { $0.isOpen }
    }

    // MARK: Statements

    /// Runs one statement in the transaction.
    ///
    /// - Parameter statement: The statement and its bound values.
    /// - Returns: The rows.
    /// - Throws: ``DatabaseError`` by SQLSTATE, after which PostgreSQL accepts nothing but a rollback;
    ///   `.commandInProgress` when another task runs a statement in it; `.closed` after the body has ended;
    ///   `CancellationError`.
    public func run(_ statement: Statement) async throws -> Rows {
        try await run(statement, cache: true)
    }

    @discardableResult
    func run(_ statement: Statement, cache: Bool) async throws -> Rows {
        let abandoned = try begin()
        defer { finish() }
        if !abandoned.isEmpty { await close(cursors: abandoned) }
        return try await database.run(statement, on: connection, cache: cache)
    }

    /// Announces a statement; the cursors that are to be closed before it.
    private func begin() throws -> [String] {
        try state.withLockedValue { state in
            guard state.isOpen else {
                throw DatabaseError(
                    code: .closed,
                    message: "The transaction has ended; use it only within the body that it was given to."
                )
            }
            state.running += 1
            defer { state.abandonedCursors = [] }
            return state.abandonedCursors
        }
    }

    private func finish() {
        state.withLockedValue { $0.running -= 1 }
    }

    /// Ends the use of the transaction, before its COMMIT or ROLLBACK.
    ///
    /// - Throws: ``DatabaseError`` with code `.commandInProgress` when a statement is under way. Nothing can be done
    ///   with the connection then, so it is closed, and the server rolls back.
    func end() throws {
        let isQuiet = state.withLockedValue { state in
            state.isOpen = false
            return state.running == 0
        }
        guard isQuiet else {
            connection.close()
            throw DatabaseError(
                code: .commandInProgress,
                message: """
                    The body of the transaction has ended while another task still runs a statement in it, so that it \
                    was rolled back. Wait for all tasks of a body before its end.
                    """
            )
        }
    }

    // MARK: Hooks

    /// Registers work to do once the transaction is committed, after its connection went back to the pool.
    ///
    /// Within a savepoint it is forgotten when the savepoint rolls back.
    ///
    /// - Parameter work: What to do; it runs although the task may be cancelled.
    /// - Returns: Whether it was accepted: a transaction that has ended takes no more, and `work` never runs.
    @discardableResult
    public func onCommit(_ work: @escaping @Sendable () async -> Void) -> Bool {
        state.withLockedValue { state in
            if state.isOpen { state.hooks.onCommit.append(work) }
            return state.isOpen
        }
    }

    /// Registers work that undoes something when the transaction, or the savepoint that this is, rolls back.
    ///
    /// It runs after the rollback, last registered first, although the task may be cancelled. It does *not* run when
    /// the outcome of the COMMIT is unknown: what may have been committed must not be undone.
    ///
    /// - Parameter work: What to do.
    /// - Returns: Whether it was accepted: a transaction that has ended takes no more, and `work` never runs.
    @discardableResult
    public func onRollback(_ work: @escaping @Sendable () async -> Void) -> Bool {
        state.withLockedValue { state in
            if state.isOpen { state.hooks.onRollback.append(work) }
            return state.isOpen
        }
    }

    func takeHooks() -> Hooks {
        state.withLockedValue { state in
            defer { state.hooks = Hooks() }
            return state.hooks
        }
    }

    /// Runs hooks outside of the caller's task, whose cancellation must not reach them.
    static func run(_ hooks: [@Sendable () async -> Void]) async {
        guard !hooks.isEmpty else { return }
        await Task { for hook in hooks { await hook() } }.value
    }

    // MARK: Savepoints

    /// Runs a body in a savepoint: when it throws, what it did is undone, and the transaction goes on.
    ///
    /// - Parameter body: What to do.
    /// - Returns: What the body returns.
    /// - Throws: What the body throws; ``DatabaseError`` as ``run(_:)``.
    @discardableResult
    public func transaction<Result>(_ body: (Transaction) async throws -> Result) async throws -> Result {
        let name = try await beginSavepoint()
        let inner = Transaction(database, on: connection, in: self)
        do {
            let result = try await Transaction.$innermost.withValue(inner) { try await body(inner) }
            try inner.end()
            try Task.checkCancellation()
            try await connection.simpleQuery("RELEASE SAVEPOINT \(name)", cancellable: false)
            take(over: inner)
            return result
        } catch {
            try? inner.end()
            do {
                // Not cancellable: a savepoint left open would swallow what follows.
                try await connection.simpleQuery(
                    "ROLLBACK TO SAVEPOINT \(name); RELEASE SAVEPOINT \(name)",
                    cancellable: false,
                    within: .seconds(5)
                )
            } catch let failure {
                // What could not be undone must not be committed with the rest.
                logger.debug("A savepoint could not be rolled back", metadata: ["error": "\(failure)"])
                connection.close()
            }
            await Self.run(inner.takeHooks().onRollback.reversed())
            throw error
        }
    }

    private func beginSavepoint() async throws -> String {
        let abandoned = try begin()
        defer { finish() }
        if !abandoned.isEmpty { await close(cursors: abandoned) }
        let name = state.withLockedValue { state in
            state.savepoints += 1
            return "s\(state.savepoints)"
        }
        try await connection.simpleQuery("SAVEPOINT \(name)")
        return name
    }

    /// The state that a savepoint leaves to the transaction around it when it is released.
    private func take(over inner: Transaction) {
        let hooks = inner.takeHooks()
        let cursors = inner.state.withLockedValue { $0.abandonedCursors }
        state.withLockedValue { state in
            state.hooks.onCommit += hooks.onCommit
            state.hooks.onRollback += hooks.onRollback
            state.abandonedCursors += cursors
        }
    }

    // MARK: Cursors

    /// Closes a cursor that was read to its end.
    func closeCursor(_ name: String) async {
        guard var names = try? begin() else { return }
        defer { finish() }
        names.append(name)
        await close(cursors: names)
    }

    /// Schedules the closing of a cursor before the next statement; the end of the transaction does it otherwise.
    func abandonCursor(_ name: String) {
        state.withLockedValue { $0.abandonedCursors.append(name) }
    }

    private func close(cursors: [String]) async {
        // A failed transaction has lost them, and accepts no CLOSE.
        guard connection.transactionStatus == .inTransaction else { return }
        let sql = cursors.map { "CLOSE \($0)" }.joined(separator: ";")
        do {
            try await connection.simpleQuery(sql, cancellable: false)
        } catch {
            logger.debug("Cursors could not be closed", metadata: ["error": "\(error)"])
        }
    }
}
