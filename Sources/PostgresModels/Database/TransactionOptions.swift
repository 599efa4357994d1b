/// The options of a transaction.
struct TransactionOptions {
    var isolation: TransactionIsolation?
    /// A Boolean value that indicates whether writing is refused; `nil` leaves it to the default of the server.
    var isReadOnly: Bool?
    var retries = 0
    /// Settings of the server that hold until the end of the transaction.
    var settings: [(name: String, value: String)] = []

    /// A Boolean value that indicates whether limits that are meant for requests are lifted until the end of the
    /// transaction.
    var liftsLimits = false

    /// The options for work of this library's own: it needs to see what was committed meanwhile, and must not be ended
    /// by limits that are meant for requests, whatever the defaults of the database and the role are.
    static let maintenance = TransactionOptions(isolation: .readCommitted, isReadOnly: false, liftsLimits: true)

    /// The settings that end statements or transactions when they are not 0; not every server knows all of them.
    static let limits = [
        "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout",
        // Since PostgreSQL 17.
        "transaction_timeout",
    ]

    /// The statements that begin the transaction, in one round trip.
    ///
    /// - Throws: ``DatabaseError`` with code `.invalidArgument` for a name that no setting can have.
    func begin() throws -> String {
        var sql = "BEGIN"
        if let isolation { sql += " ISOLATION LEVEL \(isolation.rawValue)" }
        if let isReadOnly { sql += isReadOnly ? " READ ONLY" : " READ WRITE" }
        if liftsLimits {
            let names = Self.limits.map { "'\($0)'" }.joined(separator: ", ")
            sql += "; SELECT pg_catalog.set_config(l, '0', true) FROM pg_catalog.unnest(ARRAY[\(names)]) AS l "
            sql += "WHERE pg_catalog.current_setting(l, true) IS NOT NULL"
        }
        // After the limits, of which a setting may be one.
        for setting in settings { sql += "; \(try Self.statement(setting))" }
        return sql
    }

    private static func statement(_ setting: (name: String, value: String)) throws -> String {
        guard setting.name.wholeMatch(of: #/[A-Za-z_][A-Za-z0-9_$]*(\.[A-Za-z_][A-Za-z0-9_$]*)?/#) != nil,
            !setting.value.utf8.contains(0)
        else {
            throw DatabaseError(
                code: .invalidArgument,
                message: """
                    \(ServerReport.oneLine(String(setting.name.prefix(80)))) cannot be set: a setting is named by \
                    letters, digits and "_", and its value has no NUL.
                    """
            )
        }
        // An escape string means the same whatever standard_conforming_strings is.
        let value = setting.value.replacing("\\", with: "\\\\").replacing("'", with: "''")
        return "SET LOCAL \(setting.name) = E'\(value)'"
    }
}
