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
    /// - Throws: As ``transaction(isolation:readOnly:retrying:_:)``.
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
    ///   - retries: How often the whole body is run again after a serialization failure or a deadlock. Default: 0. The
    ///     body must then have no effects outside of the database that may not happen twice.
    ///   - body: What to do.
    /// - Returns: What the body returns, after the COMMIT.
    /// - Throws: What the body throws; ``DatabaseError`` with code `.transactionAborted` when the body swallowed the error
    ///   of a statement and PostgreSQL therefore rolled back, `.outcomeUnknown` when the connection was lost during the
    ///   COMMIT, or by SQLSTATE; `CancellationError`.
    @discardableResult
    public func transaction<Result>(
        isolation: TransactionIsolation? = nil,
        readOnly: Bool = false,
        retrying retries: Int = 0,
        _ body: (Transaction) async throws -> Result
    ) async throws -> Result {
        let options = TransactionOptions(isolation: isolation, isReadOnly: readOnly, retries: retries)
        var attempt = 0
        while true {
            do {
                return try await attemptTransaction(options, body)
            } catch let error as DatabaseError
                where attempt < options.retries && (error.code == .serializationFailure || error.code == .deadlock)
            {
                attempt += 1
                // Two that met once must not meet again in step.
                try await Task.sleep(for: .milliseconds(Int.random(in: 0...(5 << min(attempt, 6)))))
            }
        }
    }

    private enum Outcome<Result> {
        case committed(Result)
        case rolledBack(any Error)
        case unknown(any Error)
    }

    private func attemptTransaction<Result>(
        _ options: TransactionOptions,
        _ body: (Transaction) async throws -> Result
    ) async throws -> Result {
        let connection = try await pool.acquire()
        let transaction = Transaction(self, on: connection)
        let outcome = await outcome(of: transaction, on: connection, options, body)
        transaction.end()
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
            try await connection.simpleQuery(options.begin)
            result = try await Transaction.$current.withValue(transaction) { try await body(transaction) }
            // The last moment at which a cancellation can still change anything.
            try Task.checkCancellation()
        } catch {
            await rollBack(connection)
            return .rolledBack(error)
        }
        do {
            let answer = try await connection.simpleQuery("COMMIT", cancellable: false)
            // COMMIT of a failed transaction succeeds, and says ROLLBACK.
            guard answer.commandTag == "COMMIT" else {
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
            try await connection.simpleQuery("ROLLBACK", cancellable: false)
        } catch {
            logger.debug("A transaction could not be rolled back", metadata: ["error": "\(error)"])
            connection.close()
        }
    }
}
