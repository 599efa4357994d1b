extension DatabaseSession {
    /// Inserts a row.
    ///
    /// - Parameter model: The row. A key of `nil` is made by the database and set here.
    /// - Throws: ``DatabaseError`` by SQLSTATE, for example `.uniqueViolation` with the constraint's name;
    ///   `CancellationError`.
    /// - Complexity: One statement.
    public func insert<M: Model>(_ model: inout M) async throws {
        let statements = try ModelStatements.of(M.self)
        let isGenerated = model.id == nil
        var encoder = encoder(M.self, wanted: isGenerated ? statements.isGenerated : nil)
        try model.encode(into: &encoder)
        try encoder.finishRow()
        let text = isGenerated ? statements.insertGenerated : statements.insertWithKey
        let rows = try await run(Statement(text: text, parameters: encoder.parameters), for: M.self)
        guard let row = rows.first else {
            throw DatabaseError(
                code: .notFound,
                message: "The INSERT into \"\(M.table)\" returned no row; a trigger or rule of the table dropped it.",
                table: M.table
            )
        }
        if isGenerated { model.id = try row.decode(M.ID.self, at: 0) }
    }

    /// Writes a row that exists.
    ///
    /// - Parameters:
    ///   - model: The row, with its key.
    ///   - properties: The properties to write, for example `[\Photo.title]`; an image brings its size columns along.
    ///     Default: all. What other writers changed in the other columns stays.
    /// - Throws: ``DatabaseError`` with code `.notFound` when there is no such row, `.invalidArgument` for a model
    ///   without a key or a property without a column, and by SQLSTATE; `CancellationError`.
    /// - Complexity: One statement.
    public func update<M: Model>(_ model: M, only properties: [PartialKeyPath<M>]? = nil) async throws {
        let id = try key(of: model)
        let statements = try ModelStatements.of(M.self)
        let wanted = try properties.map { try columns(of: $0) } ?? statements.isGenerated
        guard wanted.contains(true) else { return }
        let text = properties == nil ? statements.update : statements.update(of: wanted, model: M.self)
        var encoder = encoder(M.self, wanted: wanted)
        try model.encode(into: &encoder)
        try encoder.finishRow()
        try encoder.parameters.append(oid: M.ID.databaseType.oid) { try id.encode(into: &$0) }
        let touched = try await run(Statement(text: text, parameters: encoder.parameters), for: M.self).affectedRows
        guard touched > 0 else {
            throw DatabaseError(
                code: .notFound,
                message: "No row of \"\(M.table)\" has the key of the model, so nothing was updated.",
                table: M.table
            )
        }
    }

    /// Deletes a row.
    ///
    /// - Parameter model: The row, with its key.
    /// - Returns: Whether there was such a row.
    /// - Throws: ``DatabaseError`` by SQLSTATE, for example `.foreignKeyViolation`; `CancellationError`.
    @discardableResult
    public func delete<M: Model>(_ model: M) async throws -> Bool {
        try await delete(M.self, key(of: model))
    }

    /// Deletes the row with a primary key.
    ///
    /// - Parameters:
    ///   - model: The model.
    ///   - id: The key.
    /// - Returns: Whether there was such a row.
    /// - Throws: As ``delete(_:)``.
    @discardableResult
    public func delete<M: Model>(_ model: M.Type, _ id: M.ID) async throws -> Bool {
        var statement = Statement(text: try ModelStatements.of(model).delete)
        try statement.parameters.append(oid: M.ID.databaseType.oid) { try id.encode(into: &$0) }
        return try await run(statement, for: model).affectedRows > 0
    }

    func encoder<M: Model>(_ model: M.Type, wanted: [Bool]?) -> RowEncoder {
        RowEncoder(
            columns: M.columns,
            wanted: wanted ?? Array(repeating: true, count: M.columns.count),
            table: M.table,
            attachments: attachments
        )
    }

    private func key<M: Model>(of model: M) throws -> M.ID {
        guard let id = model.id else {
            throw DatabaseError(
                code: .invalidArgument,
                message: "The model of \"\(M.table)\" has no key; insert it first.",
                table: M.table
            )
        }
        return id
    }

    private func columns<M: Model>(of properties: [PartialKeyPath<M>]) throws -> [Bool] {
        for property in properties where !M.columns.contains(where: { $0.belongs(to: property) }) {
            throw DatabaseError(
                code: .invalidArgument,
                message: "A property given to update(_:only:) belongs to no column of \"\(M.table)\".",
                table: M.table
            )
        }
        return M.columns.map { column in
            column.name != M.idColumn && properties.contains { column.belongs(to: $0) }
        }
    }
}
