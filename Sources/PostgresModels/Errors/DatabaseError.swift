/// An error of the work with a database: one type for connections, the pool, statements, models and values.
///
/// `code` is what a program decides by; `message` says what failed and what to do about it. Bound values, and the
/// DETAIL of the server (which quotes rows), are never kept. A cancelled task throws `CancellationError`, not this.
public struct DatabaseError: Error, Sendable {
    /// The kind of failure.
    public var code: Code
    /// The message: what failed, for which name, and how to mend it.
    public var message: String
    /// The five characters the server reported, such as "23505"; nil when the failure did not come from a server.
    ///
    /// Source: PostgreSQL documentation, Appendix A, "PostgreSQL Error Codes".
    public var sqlState: String?
    /// The constraint that was violated, when the server named one.
    public var constraint: String?
    /// The table concerned, when it is known.
    public var table: String?
    /// The column concerned, when it is known.
    public var column: String?
    /// The error that led to this one.
    public var underlying: (any Error)?

    /// Describes a failure.
    ///
    /// - Parameters:
    ///   - code: what kind of failure it is.
    ///   - message: what failed, for which name, and how to mend it; no secret and no bound value.
    ///   - sqlState: the server's code, nil by default.
    ///   - constraint: the violated constraint, nil by default.
    ///   - table: the table concerned, nil by default.
    ///   - column: the column concerned, nil by default.
    ///   - underlying: the error that led to this one, nil by default.
    public init(
        code: Code,
        message: String,
        sqlState: String? = nil,
        constraint: String? = nil,
        table: String? = nil,
        column: String? = nil,
        underlying: (any Error)? = nil
    ) {
        self.code = code
        self.message = message
        self.sqlState = sqlState
        self.constraint = constraint
        self.table = table
        self.column = column
        self.underlying = underlying
    }
}

extension DatabaseError: CustomStringConvertible {
    /// A description in one line: the code, the message, and the names the server gave.
    public var description: String {
        var text = "\(code): \(message)"
        let names = [("SQLSTATE", sqlState), ("constraint", constraint), ("table", table), ("column", column)]
        let known = names.compactMap { label, name in name.map { "\(label) \($0)" } }
        if !known.isEmpty { text += " [\(known.joined(separator: ", "))]" }
        if let underlying { text += " (caused by: \(underlying))" }
        return text
    }
}
