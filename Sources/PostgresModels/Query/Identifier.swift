/// Names of tables, columns and the like.
enum Identifier {
    /// PostgreSQL cuts longer names silently, and two long names could then be one (manual, 4.1.1).
    static let maximumBytes = 63

    static func quoted(_ name: String) throws -> String {
        guard !name.isEmpty, name.utf8.count <= maximumBytes, !name.utf8.contains(0) else {
            throw DatabaseError(
                code: .invalidIdentifier,
                message: """
                    "\(name.prefix(80))" is no name that PostgreSQL keeps: a name has 1 to \(maximumBytes) bytes \
                    and no NUL.
                    """
            )
        }
        return name.utf8.contains(UInt8(ascii: "\""))
            ? "\"\(name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\""))\""
            : "\"\(name)\""
    }
}
