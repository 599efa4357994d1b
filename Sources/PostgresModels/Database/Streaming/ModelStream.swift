/// The rows of a table as models, fetched in batches while they are consumed; made by
/// ``DatabaseSession/stream(_:_:)``.
///
/// Memory, snapshot and repetition are those of ``RowStream``.
public struct ModelStream<M: Model>: AsyncSequence, Sendable {
    /// The element that an iteration yields.
    public typealias Element = M

    let rows: RowStream

    /// Begins an iteration; nothing is sent before the first model is asked for.
    ///
    /// - Returns: The iterator.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(cursor: RowCursor(rows.sql, in: rows.place))
    }

    /// Iterates over models.
    ///
    /// Its last copy releases what the iteration holds.
    public struct AsyncIterator: AsyncIteratorProtocol {
        private let cursor: RowCursor
        private var decoder: RowDecoder?
        private var count = 0
        private var index = 0

        init(cursor: RowCursor) {
            self.cursor = cursor
        }

        /// The next model.
        ///
        /// - Returns: The model, `nil` at the end.
        /// - Throws: As ``RowStream/AsyncIterator/next()``, and ``DatabaseError`` that names the column that does not
        ///   fit. The iteration is over then.
        public mutating func next() async throws -> M? {
            do {
                if index < count {
                    try Task.checkCancellation()
                } else {
                    guard try await fetch() else { return nil }
                }
                guard var decoder else { return nil }
                // Moved out and back, so that its array of objects is not copied.
                self.decoder = nil
                decoder.move(to: index)
                index += 1
                let model = try M(row: &decoder)
                self.decoder = decoder
                return model
            } catch {
                (decoder, count, index) = (nil, 0, 0)
                await cursor.abort()
                throw error
            }
        }

        private mutating func fetch() async throws -> Bool {
            // Before the next arrives: two batches are not held at a time.
            (decoder, count, index) = (nil, 0, 0)
            guard let rows = try await cursor.nextBatch() else { return false }
            decoder = try rows.decoder(for: M.self)
            count = rows.count
            return true
        }
    }
}
