internal import CLibPQ

/// The parts of an error or notice of the server that may be shown; DETAIL and CONTEXT are never read.
struct ServerReport: Sendable {
    var severity: String
    var sqlState: String?
    var message: String
    var hint: String?
    var constraint: String?
    var table: String?
    var column: String?
    /// The function of the server that made the report; the only part besides the SQLSTATE that is never translated.
    var function: String?

    init(reading result: OpaquePointer) {
        func field(_ code: some BinaryInteger) -> String? {
            PQresultErrorField(result, Int32(code)).map { String(cString: $0) }
        }
        severity = field(clibpq_diag_severity) ?? ""
        sqlState = field(clibpq_diag_sqlstate)
        message = field(clibpq_diag_message) ?? PQresultErrorMessage(result).map { String(cString: $0) } ?? ""
        hint = field(clibpq_diag_hint)
        constraint = field(clibpq_diag_constraint)
        table = field(clibpq_diag_table)
        column = field(clibpq_diag_column)
        function = field(clibpq_diag_function)
        if column == nil, let function, Self.namingColumns.contains(function) {
            column = Self.firstQuoted(in: message)
        }
    }

    /// Functions of the server that report an unknown column (42703) or one of another type (42804), and name it only
    /// in the message, in quotation marks in every language.
    private static let namingColumns: Set<String> = [
        "errorMissingColumn", "checkInsertTargets", "transformUpdateTargetList", "transformAssignedExpr",
    ]

    /// A Boolean value that indicates whether a prepared statement failed because its tables changed since.
    private var isStalePlan: Bool {
        sqlState == SQLState.featureNotSupported && function == "RevalidateCachedQuery"
    }

    var isFatal: Bool {
        severity == "FATAL" || severity == "PANIC"
    }

    /// The error for a command that ended with this report.
    var error: DatabaseError {
        guard let sqlState else {
            // libpq made the result up itself: the connection broke.
            return DatabaseError(
                code: .connectionLost,
                message: "The connection to the server was lost: \(Self.oneLine(message)).",
                sqlState: "08006"
            )
        }
        let code = isStalePlan ? .staleStatement : SQLState.code(for: sqlState)
        var text = Self.showable(message, sqlState: sqlState)
        if !text.hasSuffix(".") { text += "." }
        // Hints on statements and on states of objects name types, functions and tables; elsewhere they may quote data.
        if ["42", "55", "0A"].contains(String(sqlState.prefix(2))), let hint { text += " \(Self.oneLine(hint))" }
        text += SQLState.remedy(for: code)
        if [SQLState.undefinedPreparedStatement, SQLState.duplicatePreparedStatement].contains(sqlState) {
            text += " Behind a pooler in transaction mode \(SQLState.remedyForVanished)"
        }
        return DatabaseError(
            code: code,
            message: text,
            sqlState: sqlState,
            constraint: constraint,
            table: table,
            column: column
        )
    }

    /// The server's primary message without what it may quote of the data.
    static func showable(_ message: String, sqlState: String) -> String {
        let line = oneLine(message)
        guard SQLState.messageMayQuoteValue(sqlState) else { return line }
        // Quotation marks differ with the server's language; what follows the first of any kind is cut.
        // Scalars, not characters: the value after a mark may begin with an accent that makes both one character.
        let quotes: Set<Unicode.Scalar> = ["\"", "«", "„", "“", "”", "'", "‘", "’", "»", "「", "『"]
        guard let quote = line.unicodeScalars.firstIndex(where: quotes.contains) else { return line }
        return String(String.UnicodeScalarView(line.unicodeScalars[..<quote])) + "…"
    }

    /// The text between the first two marks: `column "born" of relation "authors" does not exist`.
    static func firstQuoted(in message: String) -> String? {
        let scalars = message.unicodeScalars
        guard let start = scalars.firstIndex(of: "\""),
            let end = scalars[scalars.index(after: start)...].firstIndex(of: "\"")
        else { return nil }
        return String(String.UnicodeScalarView(scalars[scalars.index(after: start)..<end]))
    }

    static func oneLine(_ message: String) -> String {
        message.split(whereSeparator: \.isNewline).map { $0.trimmingSpaces() }.joined(separator: " ")
    }
}

extension Substring {
    fileprivate func trimmingSpaces() -> Substring {
        var text = drop(while: \.isWhitespace)
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }
}
