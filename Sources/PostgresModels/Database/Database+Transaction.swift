import Logging

extension Database {
    /// Runs a body in a transaction.
    ///
    /// ```swift
    /// try await database.transaction { transaction in
    ///     try await transaction.insert(&photo)
    ///     try await transaction.execute("UPDATE albums SET photos = photos + 1 WHERE id = \(album)")
    /// }
    /// ```
    /// - Parameter body: What to do. When it throws, or the task is cancelled before the COMMIT, everything is rolled
    ///   back.
    /// - Returns: What the body returns, after the COMMIT.
    /// - Throws: As ``transaction(isolation:readOnly:settings:retrying:_:)``.
    @discardableResult
    public func transaction<Result>(_ body: (Transaction) async throws -> Result) async throws -> Result {
        try await transaction(retrying: 0, body)
    }

    /// Runs a body in a transaction with options.
    ///
    /// - Parameters:
    ///   - isolation: How much the transaction sees of others. Default: the server's, READ COMMITTED unless configured
    ///     otherwise.
    ///   - readOnly: Whether writing is refused. Default: no.
    ///   - settings: Settings of the server for this transaction only, for example `["statement_timeout": "30s"]`; sent
    ///     with the BEGIN. Default: none.
    ///   - retries: How often the whole body is run again after a serialization failure, a deadlock, or a prepared
    ///     statement that went stale. Default: 0. The body must then have no effects outside of the database that may
    ///     not happen twice.
    ///   - body: What to do.
    /// - Returns: What the body returns, after the COMMIT.
    /// - Throws: What the body throws; ``DatabaseError`` with code `.transactionAborted` when the body swallowed the
    ///   error of a statement and PostgreSQL therefore rolled back, `.commandInProgress` when a task that the body left
    ///   behind still runs a statement in it, which is rolled back too, `.outcomeUnknown` when the connection was lost
    ///   during the COMMIT, `.invalidArgument` for a setting that none can be, or by SQLSTATE; `CancellationError`.
    @discardableResult
    public func transaction<Result>(
        isolation: TransactionIsolation? = nil,
        readOnly: Bool = false,
        settings: [String: String] = [:],
        retrying retries: Int = 0,
        _ body: (Transaction) async throws -> Result
    ) async throws -> Result {
        let options = TransactionOptions(
            isolation: isolation,
            isReadOnly: readOnly ? true : nil,
            retries: retries,
            settings: settings.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        )
        return try await transaction(options, in: pool, body)
    }

    func transaction<Result>(
        _ options: TransactionOptions,
        in pool: ConnectionPool,
        _ body: (Transaction) async throws -> Result
    ) async throws -> Result {
        var attempt = 0
        while true {
            do {
                return try await attemptTransaction(options, in: pool, body)
            } catch let error as DatabaseError where attempt < options.retries && Self.mayPass(error) {
                attempt += 1
                // Two that met once must not meet again in step.
                try await Task.sleep(for: .milliseconds(Int.random(in: 0...(5 << min(attempt, 6)))))
            }
        }
    }

    private static func mayPass(_ error: DatabaseError) -> Bool {
        [.serializationFailure, .deadlock, .staleStatement].contains(error.code)
    }

    private enum Outcome<Result> {
        case committed(Result)
        case rolledBack(any Error)
        case unknown(any Error)
    }

    private func attemptTransaction<Result>(
        _ options: TransactionOptions,
        in pool: ConnectionPool,
        _ body: (Transaction) async throws -> Result
    ) async throws -> Result {
        let connection = try await pool.acquire()
        let transaction = Transaction(self, on: connection, in: nil)
        let outcome = await outcome(of: transaction, on: connection, options, body)
        await pool.release(connection)
        let hooks = transaction.takeHooks()
        switch outcome {
        case .committed(let result):
            await Transaction.run(hooks.onCommit)
            return result
        case .rolledBack(let error):
            await Transaction.run(hooks.onRollback.reversed())
            throw error
        case .unknown(let error):
            throw error
        }
    }

    private func outcome<Result>(
        of transaction: Transaction,
        on connection: PostgresConnection,
        _ options: TransactionOptions,
        _ body: (Transaction) async throws -> Result
    ) async -> Outcome<Result> {
        let result: Result
        do {
            try await connection.simpleQuery(try options.begin())
            result = try await Transaction.$innermost.withValue(transaction) { try await body(transaction) }
            // Before the COMMIT: what a task left behind by the body sends after it would be committed by itself.
            try transaction.end()
            // The last moment at which a cancellation can still change anything.
            try Task.checkCancellation()
        } catch {
            try? transaction.end()
            await rollBack(connection)
            return .rolledBack(error)
        }
        do {
            // Without a limit: it may rightly wait for deferred triggers or a standby, and giving up would leave the
            // outcome unknown.
            let commit = try await connection.simpleQuery("COMMIT", cancellable: false)
            // COMMIT of a failed transaction succeeds, and says ROLLBACK.
            guard commit.commandTag == "COMMIT" else {
                return .rolledBack(
                    DatabaseError(
                        code: .transactionAborted,
                        message: """
                            The transaction was rolled back: one of its statements had failed, and its error was not \
                            thrown out of the body.
                            """,
                        sqlState: "25P02"
                    )
                )
            }
            return .committed(result)
        } catch let error as DatabaseError where error.code != .connectionLost && connection.isUsable {
            await rollBack(connection)
            return .rolledBack(error)
        } catch {
            return .unknown(
                DatabaseError(
                    code: .outcomeUnknown,
                    message: """
                        The connection was lost during COMMIT: the transaction may or may not have been committed. \
                        Look for what it wrote before doing it again.
                        """,
                    underlying: error
                )
            )
        }
    }

    /// Ends a failed transaction.
    ///
    /// A connection on which that fails is not given to anyone again.
    private func rollBack(_ connection: PostgresConnection) async {
        guard connection.isUsable, connection.transactionStatus != .idle else { return }
        do {
            // Undoing takes no time in PostgreSQL; a server that does not respond would hold the task for ever.
            try await connection.simpleQuery("ROLLBACK", cancellable: false, within: .seconds(5))
        } catch {
            logger.debug("A transaction could not be rolled back", metadata: ["error": "\(error)"])
            connection.close()
        }
    }
}
