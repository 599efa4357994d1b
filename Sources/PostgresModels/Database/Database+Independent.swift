extension Database {
    /// Runs one statement whatever the caller holds: also inside of a transaction that has the pool's only connection.
    ///
    /// It runs on a few connections beside the pool, which are opened when they are first needed, and sees and changes
    /// what any other session would. A statement that waits for a lock of the caller's own transaction waits for ever.
    ///
    /// - Parameter statement: The statement; `\(value)` binds.
    /// - Returns: The rows.
    /// - Throws: ``DatabaseError`` by SQLSTATE, `.poolTimeout`; `CancellationError`.
    package func runIndependently(_ statement: SQL) async throws -> Rows {
        let statement = try statement.statement()
        return try await sidePool.withConnection { try await run(statement, on: $0) }
    }

    /// Runs a body in a transaction of its own whatever the caller holds.
    ///
    /// Not to be nested: two connections are all there are. Within the body ``Transaction/current`` is this transaction.
    ///
    /// - Parameter body: What to do.
    /// - Returns: What the body returns, after the COMMIT.
    /// - Throws: As ``transaction(_:)``.
    @discardableResult
    package func independentTransaction<Result>(
        _ body: (Transaction) async throws -> Result
    ) async throws -> Result {
        try await transaction(TransactionOptions(), in: sidePool, body)
    }
}
