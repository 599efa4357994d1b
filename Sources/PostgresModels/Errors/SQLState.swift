/// The one place that knows what the codes of the server mean to us.
///
/// Source: PostgreSQL documentation, Appendix A, "PostgreSQL Error Codes".
enum SQLState {
    static let queryCancelled = "57014"
    static let featureNotSupported = "0A000"
    static let undefinedPreparedStatement = "26000"
    static let duplicatePreparedStatement = "42P05"
    static let readOnlyTransaction = "25006"
    /// A client is unable to establish a connection.
    static let cannotConnect = "08001"

    /// The code of an error that the server reported for a statement.
    static func code(for state: String) -> DatabaseError.Code {
        if let code = exact[state] { return code }
        return byClass[String(state.prefix(2))] ?? .queryFailed
    }

    /// The remedy, as the end of the message; "" when there is nothing general to say.
    static func remedy(for code: DatabaseError.Code) -> String {
        switch code {
        case .serializationFailure, .deadlock, .staleStatement: " Run the whole transaction again."
        case .transactionAborted: " An earlier statement failed: roll the transaction back."
        case .lockTimeout: " Try again, or raise lock_timeout."
        case .timeout: " Make the statement cheaper, or raise statement_timeout."
        case .readOnly: " Connect to the primary (target_session_attrs=read-write), or make the transaction read-write."
        default: ""
        }
    }

    /// The remedy when statements vanish that were prepared, as the end of a sentence.
    static let remedyForVanished =
        "set preparedStatements to .off, or use PgBouncer 1.21 or newer with max_prepared_statements."

    /// Returns whether a session that reported this error code can do no more work.
    static func endsSession(_ state: String) -> Bool {
        state.hasPrefix("08") || ["57P01", "57P02", "57P03", "57P04", "57P05", "25P03"].contains(state)
    }

    /// Returns whether trying to connect again later can help.
    static func connectingAgainMayHelp(_ state: String) -> Bool {
        state.hasPrefix("08") || state.hasPrefix("53") || ["57P01", "57P02", "57P03"].contains(state)
    }

    /// Returns whether the primary message may quote a value: "invalid input syntax for type integer: "abc"".
    static func messageMayQuoteValue(_ state: String) -> Bool {
        state.hasPrefix("22")
    }

    private static let exact: [String: DatabaseError.Code] = [
        "23505": .uniqueViolation,
        "23503": .foreignKeyViolation,
        "23001": .foreignKeyViolation,
        "23502": .notNullViolation,
        "23514": .checkViolation,
        "23P01": .exclusionViolation,
        "40001": .serializationFailure,
        "40P01": .deadlock,
        "25P02": .transactionAborted,
        "25006": .readOnly,
        "25P03": .connectionLost,
        "25000": .invalidState,
        "55000": .invalidState,
        "55006": .objectInUse,
        "55P03": .lockTimeout,
        "57014": .timeout,
        "57P01": .connectionLost,
        "57P02": .connectionLost,
        "57P03": .connectionLost,
        "57P04": .connectionLost,
        "57P05": .connectionLost,
        "42501": .permissionDenied,
        "42P01": .undefinedObject,
        "42703": .missingColumn,
        "42804": .typeMismatch,
        "26000": .staleStatement,
        "42P05": .staleStatement,
        "42883": .undefinedObject,
        "42704": .undefinedObject,
        "3D000": .undefinedObject,
        "3F000": .undefinedObject,
    ]

    private static let byClass: [String: DatabaseError.Code] = [
        "08": .connectionLost,
        "22": .invalidData,
        "28": .permissionDenied,
        "42": .invalidStatement,
    ]
}
