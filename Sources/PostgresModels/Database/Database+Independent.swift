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

    /// Runs a body in a transaction that sees what was committed meanwhile and is not ended by limits meant for
    /// requests, whatever the defaults of the database and the role are.
    ///
    /// - Parameters:
    ///   - isIndependent: Whether it runs beside the pool, for a caller that may hold its only connection. Not to be
    ///     nested then: two connections are all there are.
    ///   - settings: Settings of the server for this transaction only. Default: none.
    ///   - body: What to do. Within it ``Transaction/current`` is this transaction.
    /// - Returns: What the body returns, after the COMMIT.
    /// - Throws: As ``transaction(_:)``.
    @discardableResult
    package func maintenanceTransaction<Result>(
        isIndependent: Bool = false,
        settings: [String: String] = [:],
        _ body: (Transaction) async throws -> Result
    ) async throws -> Result {
        var options = TransactionOptions.maintenance
        options.settings = settings.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        return try await transaction(options, in: isIndependent ? sidePool : pool, body)
    }

    /// The rows of a query, as ``stream(_:)``, without limits that are meant for requests.
    ///
    /// - Parameter sql: A SELECT, VALUES or TABLE; `\(value)` binds.
    /// - Returns: The rows.
    package func maintenanceStream(_ sql: SQL) -> RowStream {
        RowStream(sql: sql, place: .database(self, liftsLimits: true))
    }
}
