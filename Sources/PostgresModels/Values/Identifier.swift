/// Names of tables, columns and the like.
enum Identifier {
    /// PostgreSQL cuts longer names silently, and two long names could then be one (manual, 4.1.1).
    static let maximumBytes = 63

    static func quoted(_ name: String) throws -> String {
        guard !name.isEmpty, name.utf8.count <= maximumBytes, !name.utf8.contains(0) else {
            throw DatabaseError(
                code: .invalidIdentifier,
                message: """
                    "\(name.unicodeScalars.prefix(80))" is no name that PostgreSQL keeps: a name has 1 to \
                    \(maximumBytes) bytes and no NUL.
                    """
            )
        }
        let quote = UInt8(ascii: "\"")
        guard name.utf8.contains(quote) else { return "\"\(name)\"" }
        // Bytes, not characters: a quotation mark with a combining accent is one character, and another one.
        let doubled = name.utf8.flatMap { $0 == quote ? [quote, quote] : [$0] }
        return "\"\(String(decoding: doubled, as: UTF8.self))\""
    }
}
