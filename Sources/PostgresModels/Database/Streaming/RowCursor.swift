import Synchronization

/// A cursor on the server, from which rows come in batches; what it holds is released at the end, however that comes.
///
/// It belongs to one iterator, which asks for one batch after the other.
final class RowCursor {
    /// The place where the cursor lives.
    enum Place: Sendable {
        /// In a read-only transaction of its own, on a connection of the pool.
        case database(Database, liftsLimits: Bool = false)
        /// In a transaction that is open.
        case transaction(Transaction)
    }

    private enum State {
        case unopened, open, ended
    }

    /// The number of rows that one FETCH asks for at most, fewer when they are large.
    static let maximumRows = 1000
    /// The number of bytes that a batch should not exceed by much.
    private static let targetBytes = 8 << 20

    private static let nextNumber = Atomic<UInt64>(1)

    private let place: Place
    private let sql: SQL
    private let name: String
    private var state = State.unopened
    /// The connection of a transaction of its own.
    private var connection: PostgresConnection?
    /// The first batch is small: it tells how large rows are.
    private var rowsToFetch = 100

    init(_ sql: SQL, in place: Place) {
        self.sql = sql
        self.place = place
        // Never a name that was used before: the transaction may be anybody's.
        name = "sf_cursor_\(Self.nextNumber.wrappingAdd(1, ordering: .relaxed).oldValue)"
    }

    deinit {
        Self.abandon(name, of: place, on: connection, isOpen: isOpen)
    }

    private static func abandon(_ name: String, of place: Place, on connection: PostgresConnection?, isOpen: Bool) {
        switch place {
        case .database(let database, _):
            guard let connection else { return }
            Task.detached { await release(connection, ending: "ROLLBACK", to: database) }
        case .transaction(let transaction):
            // The transaction may be running its next statement already, so it closes the cursor when it can.
            if isOpen { transaction.abandonCursor(name) }
        }
    }

    /// The next rows, at least one; nil at the end, after which nothing is held any more.
    func nextBatch() async throws -> Rows? {
        if case .ended = state { return nil }
        do {
            try Task.checkCancellation()
            if case .unopened = state { try await open() }
            let rows = try await fetch()
            // The end is known with the last rows: the work on them holds no connection.
            if rows.count < rowsToFetch { await close() }
            adapt(to: rows)
            return rows.isEmpty ? nil : rows
        } catch {
            await abort()
            throw error
        }
    }

    /// Releases what the cursor holds, before its end.
    func abort() async {
        let wasOpen = isOpen
        state = .ended
        switch place {
        case .database(let database, _):
            guard let connection = takeConnection() else { return }
            await Self.release(connection, ending: "ROLLBACK", to: database)
        case .transaction(let transaction):
            if wasOpen { transaction.abandonCursor(name) }
        }
    }

    private var isOpen: Bool {
        if case .open = state { true } else { false }
    }

    private func takeConnection() -> PostgresConnection? {
        defer { connection = nil }
        return connection
    }

    private func open() async throws {
        var declaration: SQL = "DECLARE \(raw: name) NO SCROLL CURSOR FOR "
        declaration.append(sql)
        let statement = try declaration.statement()
        switch place {
        case .database(let database, let liftsLimits):
            let connection = try await database.pool.acquire()
            self.connection = connection
            try await connection.simpleQuery(try TransactionOptions(isReadOnly: true, liftsLimits: liftsLimits).begin())
            _ = try await database.run(statement, on: connection, cache: false)
        case .transaction(let transaction):
            try await transaction.run(statement, cache: false)
        }
        state = .open
    }

    private func fetch() async throws -> Rows {
        // Not prepared: the statement is planned in no time, and no two cursors share it.
        let statement = Statement(text: "FETCH FORWARD \(rowsToFetch) FROM \(name)")
        switch place {
        case .database(let database, _):
            guard let connection else { throw DatabaseError(code: .closed, message: "The cursor has been closed.") }
            return try await database.run(statement, on: connection, cache: false)
        case .transaction(let transaction):
            return try await transaction.run(statement, cache: false)
        }
    }

    private func close() async {
        state = .ended
        switch place {
        case .database(let database, _):
            guard let connection = takeConnection() else { return }
            await Self.release(connection, ending: "COMMIT", to: database)
        case .transaction(let transaction):
            await transaction.closeCursor(name)
        }
    }

    private func adapt(to rows: Rows) {
        guard !rows.isEmpty else { return }
        let size = max(1, rows.result.memorySize / rows.count)
        rowsToFetch = max(1, min(Self.maximumRows, Self.targetBytes / size))
    }

    private static func release(_ connection: PostgresConnection, ending end: String, to database: Database) async {
        // What fails here makes the pool drop the connection.
        // A server that is slow to stop a statement is slow here, too.
        let limit = max(.seconds(5), connection.configuration.cancellationGracePeriod)
        _ = try? await connection.simpleQuery(end, cancellable: false, within: limit)
        await database.pool.release(connection)
    }
}
