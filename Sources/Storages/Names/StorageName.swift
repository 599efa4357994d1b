import Foundation

/// A validated relative path: the name of a file in a storage.
///
/// Invariants:
/// - 1 to 1024 bytes of UTF-8 in Unicode normalisation form C;
/// - segments of 1 to 255 bytes, separated by `/`; none is `.` or `..`; no leading, trailing or double `/`;
/// - no backslash, no NUL, no control (C0, DEL, C1), no control of text direction.
///
/// Names are equal, hashed and ordered by their UTF-8 bytes, as S3 and PostgreSQL do, while Swift strings are equal
/// when they look the same.
public struct StorageName: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The most bytes a name has.
    public static let maxBytes = 1024
    /// The most bytes one segment has.
    public static let maxSegmentBytes = 255

    /// The name as text.
    public let string: String

    /// Takes a name that is valid already, as it is.
    ///
    /// - Parameter string: The name, for example from a column.
    /// - Throws: ``StorageError`` with code ``StorageError/Code/invalidName`` that says which rule is broken.
    /// - Complexity: O(n); names of ASCII only are checked without Foundation.
    public init(validating string: String) throws {
        if let violation = StorageName.violation(in: string) {
            throw violation.error(for: string)
        }
        self.string = string
    }

    /// Makes a valid name of whatever a client sent.
    ///
    /// With ``StorageNamePolicy/unicode``: the text is brought to NFC and split on `/` and `\`; segments that are empty
    /// or `.` are dropped; `..`, absolute paths, NUL, controls and controls of text direction are refused. In each
    /// segment letters, marks, numbers and `. _ - +` stay, a run of white space becomes one `_`, the rest is dropped;
    /// dots and spaces at the ends go, except that what was dropped before an extension leaves a `_`; names of Windows
    /// devices get a `_` in front. What is too long is cut between scalars and keeps its extension.
    ///
    /// ```swift
    /// try StorageName(sanitizing: "My Résumé (final).pdf").string    // "My_Résumé_final.pdf"
    /// ```
    ///
    /// - Parameters:
    ///   - string: A name or path as a browser sent it.
    ///   - policy: Which characters stay. Default: ``StorageNamePolicy/unicode``.
    /// - Throws: ``StorageError`` with code ``StorageError/Code/invalidName`` when the name is hostile, or nothing is
    ///   left of it.
    /// - Complexity: O(n).
    public init(sanitizing string: String, policy: StorageNamePolicy = .unicode) throws {
        self.string = try NameSanitizer.sanitize(string, policy: policy)
    }

    /// Makes a valid name of bytes that should be UTF-8.
    ///
    /// - Parameters:
    ///   - bytes: A name or path as it came over the wire.
    ///   - policy: Which characters stay. Default: ``StorageNamePolicy/unicode``.
    /// - Throws: ``StorageError`` with code ``StorageError/Code/invalidName`` as ``init(sanitizing:policy:)``, and when
    ///   the bytes are not UTF-8: an encoded surrogate (`ED A0`…`ED BF`) is named as such.
    public init(sanitizing bytes: some Sequence<UInt8>, policy: StorageNamePolicy = .unicode) throws {
        let bytes = Array(bytes)
        guard let string = String(validating: bytes, as: UTF8.self) else {
            let hasSurrogate = zip(bytes, bytes.dropFirst()).contains { $0 == 0xED && $1 >= 0xA0 && $1 <= 0xBF }
            let violation: NameViolation = hasSurrogate ? .loneSurrogate : .invalidUTF8
            throw violation.error(for: String(decoding: bytes, as: UTF8.self))
        }
        try self.init(sanitizing: string, policy: policy)
    }

    /// Takes a name that is known to be valid, or that a storage reported and that must be kept byte for byte.
    package init(unchecked string: String) {
        self.string = string
    }

    /// The name as text.
    public var description: String { string }

    /// Returns whether two names have the same UTF-8 bytes.
    public static func == (left: StorageName, right: StorageName) -> Bool {
        left.string.utf8.elementsEqual(right.string.utf8)
    }

    /// Returns whether one name comes before another in the order of their UTF-8 bytes.
    public static func < (left: StorageName, right: StorageName) -> Bool {
        left.string.utf8.lexicographicallyPrecedes(right.string.utf8)
    }

    /// Feeds the UTF-8 bytes into a hasher.
    public func hash(into hasher: inout Hasher) {
        var string = string
        string.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        hasher.combine(0xFF as UInt8)
    }
}
