import NIOCore

extension DatabaseSession {
    /// Inserts many rows, all or none.
    ///
    /// - Parameter models: The rows; keys of `nil` are made by the database and set here. Either all have a key or
    ///   none.
    /// - Throws: ``DatabaseError`` by SQLSTATE, `.invalidArgument` for a mixture of rows with and without keys;
    ///   `CancellationError`.
    /// - Complexity: One statement per 1,000 rows or 8 MiB, in one transaction when there are several.
    public func insert<M: Model>(_ models: inout [M]) async throws {
        guard models.count > 1 else {
            if !models.isEmpty { try await insert(&models[0]) }
            return
        }
        let isGenerated = models[0].id == nil
        guard models.allSatisfy({ ($0.id == nil) == isGenerated }) else {
            throw DatabaseError(
                code: .invalidArgument,
                message: "Rows with and without a key cannot be inserted together into \"\(M.table)\".",
                table: M.table
            )
        }
        let insertion = try Insertion<M>(attachments, isGenerated: isGenerated)
        let first = try insertion.chunk(of: models, from: 0)
        if first.range.upperBound == models.count { return try await insert(first, of: insertion, into: &models) }
        models = try await transaction { [models] transaction in
            var models = models
            var chunk = first
            while true {
                try await transaction.insert(chunk, of: insertion, into: &models)
                guard chunk.range.upperBound < models.count else { return models }
                chunk = try insertion.chunk(of: models, from: chunk.range.upperBound)
            }
        }
    }

    private func insert<M: Model>(
        _ chunk: Insertion<M>.Chunk,
        of insertion: Insertion<M>,
        into models: inout [M]
    ) async throws {
        let rows = try await run(chunk.statement, for: M.self)
        guard rows.count == chunk.range.count else {
            throw DatabaseError(
                code: .notFound,
                message: """
                    The INSERT of \(chunk.range.count) rows into "\(M.table)" returned \(rows.count); a trigger or \
                    rule of the table dropped some.
                    """,
                table: M.table
            )
        }
        guard insertion.isGenerated else { return }
        for (row, index) in zip(rows, chunk.range) { models[index].id = try row.decode(M.ID.self, at: 0) }
    }
}

/// The statements that insert many rows of one model.
private struct Insertion<M: Model> {
    struct Chunk {
        var range: Range<Int>
        var statement: Statement
    }

    let isGenerated: Bool
    private let attachments: DatabaseAttachments
    private let statements: ModelStatements
    private let names: [String]

    init(_ attachments: DatabaseAttachments, isGenerated: Bool) throws {
        self.attachments = attachments
        self.isGenerated = isGenerated
        statements = try ModelStatements.of(M.self)
        names = zip(statements.columnNames, statements.isGenerated).filter { !isGenerated || $1 }.map { $0.0 }
    }

    /// Returns as many rows as one statement should carry.
    func chunk(of models: [M], from start: Int) throws -> Chunk {
        var encoder = RowEncoder(
            columns: M.columns,
            wanted: isGenerated ? statements.isGenerated : Array(repeating: true, count: M.columns.count),
            table: M.table,
            attachments: attachments
        )
        // The protocol counts parameters in 16 bits (PostgreSQL manual, 55.7, "Bind"), should they not fit into arrays.
        let most = min(models.count, start + max(1, min(1000, Int(UInt16.max) / max(1, names.count))))
        var end = start
        while end < most, encoder.parameters.bytes.readableBytes < 8 << 20 {
            try models[end].encode(into: &encoder)
            try encoder.finishRow()
            end += 1
        }
        return Chunk(range: start..<end, statement: statement(for: end - start, encoder.parameters))
    }

    private func statement(for rows: Int, _ parameters: QueryParameters) -> Statement {
        // One array a column: one statement for any number of rows, prepared once.
        if let arrays = parameters.columns(names.count) {
            return Statement(
                text: isGenerated ? statements.insertManyGenerated : statements.insertManyWithKey,
                parameters: arrays
            )
        }
        let text = ModelStatements.insert(
            into: statements.table,
            columns: names,
            rows: rows,
            returning: statements.idColumn
        )
        return Statement(text: text, parameters: parameters, isReused: false)
    }
}

extension QueryParameters {
    /// The same values by columns, each an array (PostgreSQL source, `array_send`); nil when the values of a column
    /// have types without arrays, or different ones.
    fileprivate func columns(_ count: Int) -> QueryParameters? {
        guard count > 0, self.count > 0 else { return nil }
        let rows = self.count / count
        var offsets: [Int] = []
        offsets.reserveCapacity(self.count)
        var offset = bytes.readerIndex
        for length in lengths {
            offsets.append(offset)
            offset += max(0, Int(length))
        }
        var arrays = QueryParameters(capacity: bytes.readableBytes + count * 20 + self.count * 4)
        for column in 0..<count {
            let places = stride(from: column, to: self.count, by: count)
            guard let array = DatabaseType(oid: oids[column]).array, places.allSatisfy({ oids[$0] == oids[column] })
            else { return nil }
            let hasNulls = places.contains { lengths[$0] < 0 }
            do {
                try arrays.append(oid: array.oid) { buffer in
                    buffer.writeMultipleIntegers(Int32(1), Int32(hasNulls ? 1 : 0), oids[column], Int32(rows), Int32(1))
                    for place in places {
                        buffer.writeInteger(lengths[place])
                        if let value = bytes.getSlice(at: offsets[place], length: max(0, Int(lengths[place]))) {
                            buffer.writeImmutableBuffer(value)
                        }
                    }
                }
            } catch {
                return nil
            }
        }
        return arrays
    }
}
