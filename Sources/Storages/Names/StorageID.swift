/// The name under which an application registers a storage.
///
/// ```swift
/// extension StorageID {
///     static let media: Self = "media"
/// }
/// ```
public struct StorageID: Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    /// The text of the id.
    public let rawValue: String

    /// Creates an id from its text.
    ///
    /// - Parameter rawValue: Any text; ids are compared as Swift strings.
    public init(_ rawValue: String) {
        self.rawValue = rawValue
    }

    /// Creates an id from a literal.
    ///
    /// - Parameter value: The literal.
    public init(stringLiteral value: String) {
        self.init(value)
    }

    /// The text of the id.
    public var description: String { rawValue }
}
