import PostgresModels

/// The unique constraint of a field, which says that a file belongs to one row, and is recognised by its name.
enum FileConstraint {
    private static let suffix = "_names_one_row"
    /// PostgreSQL cuts longer identifiers silently (manual, 4.1.1), and two long names could then be one.
    private static let maximumBytes = 63

    /// The name for the constraint of a column.
    static func name(table: String, column: String) -> String {
        let whole = "\(table)_\(column)\(suffix)"
        guard whole.utf8.count > maximumBytes else { return whole }
        let hash = "_" + String(fnv1a("\(table)\u{1F}\(column)"), radix: 36)
        var kept = ""
        for scalar in "\(table)_\(column)".unicodeScalars {
            guard kept.utf8.count + UTF8.width(scalar) + hash.utf8.count + suffix.utf8.count <= maximumBytes else {
                break
            }
            kept.unicodeScalars.append(scalar)
        }
        return kept + hash + suffix
    }

    /// Returns whether the constraint that an error reports as violated is that of a field.
    static func isViolated(_ error: DatabaseError) -> Bool {
        error.code == .uniqueViolation && error.constraint?.hasSuffix(suffix) == true
    }

    /// FNV-1a, 64 bits: stable across processes, which `Hasher` is not.
    private static func fnv1a(_ text: String) -> UInt64 {
        text.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
}
