/// The choice of characters that an original name keeps in a ``StorageName``.
public struct StorageNamePolicy: Hashable, Sendable {
    enum Kind {
        case unicode, ascii
    }

    let kind: Kind

    /// Letters, marks and numbers of every script stay, and `. _ - +`.
    public static let unicode = Self(kind: .unicode)

    /// ASCII only: each segment as `secure_filename` of Werkzeug 3.1.9 makes it on POSIX.
    ///
    /// For applications that must find the names that a Python application has stored. Accents are taken off
    /// (`é` → `e`), other scripts are dropped, and `..`, absolute paths and controls are cleaned away, not refused.
    public static let ascii = Self(kind: .ascii)
}
