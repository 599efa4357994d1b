extension DatabaseSession {
    /// The row with a primary key.
    ///
    /// - Parameters:
    ///   - model: The model.
    ///   - id: The key.
    /// - Returns: The model, `nil` when there is no such row.
    /// - Throws: ``DatabaseError``; `CancellationError`.
    /// - Complexity: One statement.
    public func find<M: Model>(_ model: M.Type, _ id: M.ID) async throws -> M? {
        var statement = Statement(text: try ModelStatements.of(model).find)
        try statement.parameters.append(oid: M.ID.databaseType.oid) { try id.encode(into: &$0) }
        return try await run(statement, for: model).decode(model).first
    }

    /// All rows that fit.
    ///
    /// ```swift
    /// let cats = try await database.all(Photo.self, "WHERE title ILIKE \(pattern) ORDER BY id LIMIT \(20)")
    /// ```
    /// - Parameters:
    ///   - model: The model.
    ///   - clause: What follows `FROM table`; `\(value)` binds. Default: nothing, all rows.
    /// - Returns: The models.
    /// - Throws: ``DatabaseError``; `CancellationError`.
    /// - Complexity: One statement; the whole result is in memory.
    public func all<M: Model>(_ model: M.Type, _ clause: SQL = "") async throws -> [M] {
        try await query(model, ModelStatements.of(model).select, followedBy: clause).decode(model)
    }

    /// The first row that fits.
    ///
    /// - Parameters:
    ///   - model: The model.
    ///   - clause: What follows `FROM table`, without LIMIT; `\(value)` binds.
    /// - Returns: The model, `nil` when no row fits.
    /// - Throws: ``DatabaseError``; `CancellationError`.
    public func first<M: Model>(_ model: M.Type, _ clause: SQL = "") async throws -> M? {
        try await query(model, ModelStatements.of(model).select, followedBy: "\(sql: clause) LIMIT 1").decode(model)
            .first
    }

    /// The number of rows that fit.
    ///
    /// - Parameters:
    ///   - model: The model.
    ///   - clause: What follows `FROM table`; `\(value)` binds. Default: nothing, all rows.
    /// - Returns: The number.
    /// - Throws: ``DatabaseError``; `CancellationError`.
    public func count<M: Model>(_ model: M.Type, _ clause: SQL = "") async throws -> Int {
        let rows = try await query(model, ModelStatements.of(model).count, followedBy: clause)
        guard let row = rows.first else { return 0 }
        return try row.decode(Int.self, at: 0)
    }

    private func query<M: Model>(_ model: M.Type, _ beginning: String, followedBy clause: SQL) async throws -> Rows {
        if clause.isEmpty { return try await run(Statement(text: beginning), for: model) }
        var sql = SQL(text: "\(beginning) ")
        sql.append(clause)
        return try await run(sql.statement(), for: model)
    }

    /// Runs a statement on the table of a model, which the server does not name in all its errors.
    func run<M: Model>(_ statement: Statement, for model: M.Type) async throws -> Rows {
        do {
            return try await run(statement)
        } catch var error as DatabaseError where error.column != nil && error.table == nil {
            error.table = M.table
            throw error
        }
    }
}
