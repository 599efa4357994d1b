/// How a transaction runs.
struct TransactionOptions {
    var isolation: TransactionIsolation?
    var isReadOnly = false
    var retries = 0

    var begin: String {
        var sql = "BEGIN"
        if let isolation { sql += " ISOLATION LEVEL \(isolation.rawValue)" }
        if isReadOnly { sql += " READ ONLY" }
        return sql
    }
}
