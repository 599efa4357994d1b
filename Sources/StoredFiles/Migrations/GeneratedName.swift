/// Names for the constraints, functions and triggers that a field brings with it.
enum GeneratedName {
    /// PostgreSQL cuts longer identifiers silently (manual, 4.1.1), and two long names could then be one.
    static let maximumBytes = 63

    /// Joins the parts, cut to what fits, and appends a hash of the whole.
    ///
    /// The hash is always there: functions of all tables share one schema, where the column `c` of `a_b` and the column
    /// `b_c` of `a` must not meet.
    ///
    /// - Parameter parts: What the object is for, then the names it belongs to.
    /// - Returns: A name of at most 63 bytes, the same for the same parts in every process.
    static func make(_ parts: String...) -> String {
        let hash = String(fnv1a(parts.joined(separator: "\u{1F}")), radix: 36)
        var kept = ""
        for scalar in parts.joined(separator: "_").unicodeScalars {
            guard kept.utf8.count + UTF8.width(scalar) + 1 + hash.utf8.count <= maximumBytes else { break }
            kept.unicodeScalars.append(scalar)
        }
        return "\(kept)_\(hash)"
    }

    /// FNV-1a, 64 bits: stable across processes, which `Hasher` is not.
    private static func fnv1a(_ text: String) -> UInt64 {
        text.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
}
