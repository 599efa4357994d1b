extension SQL {
    /// The parts of an interpolated literal.
    public struct StringInterpolation: StringInterpolationProtocol, Sendable {
        var sql = SQL(text: "")

        /// Begins a literal.
        ///
        /// - Parameters:
        ///   - literalCapacity: The number of characters of the literal parts.
        ///   - interpolationCount: The number of interpolations.
        public init(literalCapacity: Int, interpolationCount: Int) {
            sql.texts.reserveCapacity(interpolationCount + 1)
        }

        /// Adds literal text.
        ///
        /// - Parameter literal: The text.
        public mutating func appendLiteral(_ literal: String) {
            sql.append(text: literal)
        }

        /// Binds a value.
        ///
        /// - Parameter value: The value; `nil` is NULL.
        public mutating func appendInterpolation<Value: DatabaseEncodable>(_ value: Value?) {
            sql.bind(value)
        }

        /// Quotes an identifier.
        ///
        /// - Parameter identifier: A name of a table, column or the like, of 1 to 63 bytes. Others are refused with
        ///   ``DatabaseError/Code/invalidIdentifier`` when the statement is run: PostgreSQL would cut a longer one
        ///   silently (manual, 4.1.1).
        public mutating func appendInterpolation(identifier: String) {
            sql.append(identifier: identifier)
        }

        /// Puts SQL into SQL, with its values.
        ///
        /// - Parameter other: The SQL.
        public mutating func appendInterpolation(sql other: SQL) {
            sql.append(other)
        }

        /// Puts text into the statement as it is.
        ///
        /// Never use it with input.
        ///
        /// - Parameter text: The text.
        public mutating func appendInterpolation(raw text: String) {
            sql.append(text: text)
        }
    }

    /// Joins pieces of SQL.
    ///
    /// - Parameters:
    ///   - pieces: The pieces, with their values.
    ///   - separator: The text between them. Default: a comma.
    /// - Returns: One piece.
    public static func joined(_ pieces: [SQL], separator: String = ", ") -> SQL {
        var whole = SQL(text: "")
        for (index, piece) in pieces.enumerated() {
            if index > 0 { whole.append(text: separator) }
            whole.append(piece)
        }
        return whole
    }
}
