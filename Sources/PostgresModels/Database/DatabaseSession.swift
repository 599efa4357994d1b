public import Logging

/// A place where statements are run: the ``Database``, which takes a connection for each, or a ``Transaction``.
///
/// The conveniences, `find`, `all`, `insert` and the others, are extensions on this protocol and work alike on both.
/// The two are the only types that conform: in a type of yours, models with files would miss their storages.
public protocol DatabaseSession: Sendable {
    /// The logger of notable events.
    var logger: Logger { get }

    /// Runs one statement.
    ///
    /// - Parameter statement: The statement and its bound values.
    /// - Returns: The rows.
    /// - Throws: ``DatabaseError`` by SQLSTATE; `CancellationError` when the task is cancelled: the server is told to
    ///   stop, and the connection stays usable. A statement that the server has not stopped within the grace period of
    ///   the configuration loses its connection instead, and may have taken effect.
    func run(_ statement: Statement) async throws -> Rows

    /// The rows of a query, one after the other, in constant memory.
    ///
    /// - Parameter sql: A SELECT, VALUES or TABLE; `\(value)` binds.
    /// - Returns: The rows. Nothing is sent, and nothing held, before an iteration asks for its first.
    func stream(_ sql: SQL) -> RowStream

    /// Runs a body in a transaction: a new one on a database, a savepoint within a transaction.
    ///
    /// - Parameter body: What to do. When it throws, everything it did is rolled back, and the error is thrown on.
    /// - Returns: What the body returns, after the COMMIT or the RELEASE.
    /// - Throws: What the body throws, or why it could not be committed.
    @discardableResult
    func transaction<Result>(_ body: (Transaction) async throws -> Result) async throws -> Result
}

extension DatabaseSession {
    /// The objects that layers above attached to the database.
    package var attachments: DatabaseAttachments {
        switch self {
        case let database as Database: database.attachments
        case let transaction as Transaction: transaction.attachments
        default: DatabaseAttachments()
        }
    }

    /// Runs SQL and returns its rows.
    ///
    /// - Parameter sql: One statement; `\(value)` binds.
    /// - Returns: The rows, decoded when they are asked for.
    /// - Throws: ``DatabaseError`` by SQLSTATE; `CancellationError`.
    public func query(_ sql: SQL) async throws -> Rows {
        try await run(sql.statement())
    }

    /// Runs SQL for its effect.
    ///
    /// - Parameter sql: One statement; `\(value)` binds.
    /// - Returns: The number of rows it touched, 0 for statements that touch none.
    /// - Throws: ``DatabaseError`` by SQLSTATE; `CancellationError`.
    @discardableResult
    public func execute(_ sql: SQL) async throws -> Int {
        try await run(sql.statement()).affectedRows
    }
}
