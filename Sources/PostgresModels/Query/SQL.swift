import NIOCore

/// SQL with values, in which interpolation always binds.
///
/// ```swift
/// let sql: SQL = "SELECT title FROM \(identifier: table) WHERE id = \(id) AND title ILIKE \(pattern)"
/// ```
/// `\(value)` becomes a parameter; `\(identifier:)` is quoted; `\(sql:)` puts SQL into SQL, its values included. Text
/// that is only known at run time gets into a statement as it is in two ways, which are easy to look for: `\(raw:)`,
/// and ``init(stringLiteral:)`` called by name.
///
/// What is wrong with a value or an identifier is thrown when the statement is run.
public struct SQL: Sendable, ExpressibleByStringInterpolation, CustomStringConvertible {
    /// The text between the parameters; one more than there are parameters.
    var texts: [String]
    var parameters: QueryParameters
    var failure: (any Error)?

    /// SQL without values.
    ///
    /// The compiler calls it for literals. Called with a string made at run time it is what `\(raw:)` is: never do that
    /// with input.
    ///
    /// - Parameter value: The text.
    public init(stringLiteral value: String) {
        texts = [value]
        parameters = QueryParameters()
    }

    /// Text that this library wrote.
    init(text: String) {
        texts = [text]
        parameters = QueryParameters()
    }

    /// SQL with values.
    ///
    /// - Parameter stringInterpolation: The parts.
    public init(stringInterpolation: StringInterpolation) {
        self = stringInterpolation.sql
    }

    /// The text with `$1`, `$2`, … for the values, which are never shown.
    public var description: String {
        var text = texts[0]
        for (index, next) in texts.dropFirst().enumerated() {
            text += "$\(index + 1)\(next)"
        }
        return text
    }

    /// A Boolean value that indicates whether the SQL is empty.
    var isEmpty: Bool {
        texts.count == 1 && texts[0].isEmpty
    }

    /// The statement to be sent.
    func statement() throws -> Statement {
        if let failure { throw failure }
        return Statement(text: texts.count == 1 ? texts[0] : description, parameters: parameters)
    }

    mutating func append(text: String) {
        texts[texts.count - 1] += text
    }

    mutating func append(_ other: SQL) {
        texts[texts.count - 1] += other.texts[0]
        texts += other.texts.dropFirst()
        do {
            try parameters.append(contentsOf: other.parameters)
        } catch {
            failure = failure ?? error
        }
        failure = failure ?? other.failure
    }

    mutating func bind<Value: DatabaseEncodable>(_ value: Value?) {
        do {
            if let value {
                try parameters.append(oid: Value.databaseType.oid) { try value.encode(into: &$0) }
            } else {
                parameters.appendNull(oid: Value.databaseType.oid)
            }
        } catch {
            failure = failure ?? error
        }
        texts.append("")
    }

    mutating func append(identifier: String) {
        do {
            append(text: try Identifier.quoted(identifier))
        } catch {
            failure = failure ?? error
        }
    }
}
