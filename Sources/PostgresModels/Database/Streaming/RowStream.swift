/// The rows of a query, fetched in batches while they are consumed; made by ``DatabaseSession/stream(_:)``.
///
/// ```swift
/// for try await row in database.stream("SELECT id, name FROM files WHERE size > \(limit)") {
///     try report(row.decode(Int64.self, at: 0), row.decode(String.self, at: 1))
/// }
/// ```
/// Memory is bounded: up to 1,000 rows are held, fewer when they are large (8 MiB are aimed at). All rows are of one
/// moment, the one in which the first is asked for. Each iteration runs the query anew.
public struct RowStream: AsyncSequence, Sendable {
    /// The element that an iteration yields.
    public typealias Element = Row

    let sql: SQL
    let place: RowCursor.Place

    /// Begins an iteration; nothing is sent before the first row is asked for.
    ///
    /// - Returns: The iterator.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(cursor: RowCursor(sql, in: place))
    }

    /// Iterates over rows.
    ///
    /// Its last copy releases what the iteration holds.
    public struct AsyncIterator: AsyncIteratorProtocol {
        let cursor: RowCursor
        private var batch: Rows?
        private var index = 0

        init(cursor: RowCursor) {
            self.cursor = cursor
        }

        /// The next row.
        ///
        /// - Returns: The row, `nil` at the end.
        /// - Throws: ``DatabaseError`` by SQLSTATE, `.poolTimeout`, `.closed` after the end of the transaction that is
        ///   read in; `CancellationError`. The iteration is over then.
        public mutating func next() async throws -> Row? {
            guard try await advance(), let batch else { return nil }
            defer { index += 1 }
            return batch[index]
        }

        /// Makes sure that there is a row at the index; false at the end.
        mutating func advance() async throws -> Bool {
            if let batch, index < batch.count {
                guard Task.isCancelled else { return true }
                self.batch = nil
                await cursor.abort()
                throw CancellationError()
            }
            // Before the next arrives: two batches are not held at a time.
            batch = nil
            batch = try await cursor.nextBatch()
            index = 0
            return batch != nil
        }
    }
}
