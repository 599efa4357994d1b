extension DatabaseSession {
    /// The rows that fit, one after the other, in constant memory.
    ///
    /// ```swift
    /// for try await photo in database.stream(Photo.self, "WHERE title ILIKE \(pattern) ORDER BY id") { … }
    /// ```
    /// - Parameters:
    ///   - model: The model.
    ///   - clause: What follows `FROM table`; `\(value)` binds. Default: nothing, all rows.
    /// - Returns: The models. Where they are read, and what that holds, says ``DatabaseSession/stream(_:)``.
    public func stream<M: Model>(_ model: M.Type, _ clause: SQL = "") -> ModelStream<M> {
        var sql = SQL(text: "")
        do {
            sql = SQL(
                text: clause.isEmpty ? try ModelStatements.of(model).select : "\(try ModelStatements.of(model).select) "
            )
            sql.append(clause)
        } catch {
            sql.failure = error
        }
        return ModelStream(rows: stream(sql))
    }
}

extension Database {
    /// The rows of a query, one after the other, in constant memory.
    ///
    /// An iteration takes a connection of the pool with its first row and releases it with its last, or when it
    /// fails, is cancelled or given up. Meanwhile it reads in a read-only transaction of its own: the query may not
    /// write, and statements in the loop's body run on other connections, of which the pool must have some.
    ///
    /// - Parameter sql: A SELECT, VALUES or TABLE; `\(value)` binds.
    /// - Returns: The rows.
    public func stream(_ sql: SQL) -> RowStream {
        RowStream(sql: sql, place: .database(self))
    }
}

extension Transaction {
    /// The rows of a query, one after the other, in constant memory.
    ///
    /// They are read by a cursor in this transaction. Statements between two rows may run in it, too; the stream does
    /// not see what they change. Like the transaction, it is of use only during the body.
    ///
    /// - Parameter sql: A SELECT, VALUES or TABLE; `\(value)` binds.
    /// - Returns: The rows.
    public func stream(_ sql: SQL) -> RowStream {
        RowStream(sql: sql, place: .transaction(self))
    }
}
