/// An error of a storage: what failed, for which name, and how to mend it.
///
/// Messages hold names, paths and labels, never credentials or signed URLs, so an error may be logged as it is.
/// Cancellation is not a `StorageError`: `CancellationError` passes through unchanged.
///
/// ```swift
/// do {
///     _ = try await storage.open(name)
/// } catch let error as StorageError where error.code == .notFound {
///     …
/// }
/// ```
public struct StorageError: Error, Sendable, CustomStringConvertible {
    /// The kind of the failure.
    public var code: Code
    /// One sentence: what failed, for which name, and the remedy.
    public var message: String
    /// The name the operation was about, when there is one.
    public var name: String?
    /// The ``Storage/label`` of the storage that failed, when there is one.
    public var storage: String?
    /// The error that caused this one, when there is one.
    public var underlying: (any Error)?

    /// Creates an error.
    ///
    /// - Parameters:
    ///   - code: What kind of failure it is.
    ///   - message: One sentence without secrets: what failed and the remedy.
    ///   - name: The name the operation was about. Default: none.
    ///   - storage: The label of the storage. Default: none.
    ///   - underlying: The cause. Default: none.
    public init(
        _ code: Code,
        _ message: String,
        name: String? = nil,
        storage: String? = nil,
        underlying: (any Error)? = nil
    ) {
        self.code = code
        self.message = message
        self.name = name
        self.storage = storage
        self.underlying = underlying
    }

    /// Creates an error about a valid name.
    ///
    /// - Parameters:
    ///   - code: What kind of failure it is.
    ///   - message: One sentence without secrets: what failed and the remedy.
    ///   - name: The name the operation was about.
    ///   - storage: The label of the storage. Default: none.
    ///   - underlying: The cause. Default: none.
    public init(
        _ code: Code,
        _ message: String,
        name: StorageName,
        storage: String? = nil,
        underlying: (any Error)? = nil
    ) {
        self.init(code, message, name: name.string, storage: storage, underlying: underlying)
    }

    /// Code, message, and where it happened; safe to log.
    public var description: String {
        var text = "StorageError.\(code): \(message)"
        if let name { text += " [name: \(StorageError.quoted(name))]" }
        if let storage { text += " [storage: \(storage)]" }
        if let underlying { text += " [cause: \(underlying)]" }
        return text
    }

    /// Quotes untrusted text for a message: controls and bidi controls escaped, at most 120 scalars kept.
    ///
    /// A name that was refused may hold anything, and log lines must not be forged by it.
    package static func quoted(_ text: String) -> String {
        var result = ""
        appendQuoted(text, to: &result)
        return result
    }

    /// Appends what ``quoted(_:)`` makes of a text.
    static func appendQuoted(_ text: String, to result: inout String) {
        // Refused names come in numbers, and most are ASCII without anything to escape.
        let isPlain =
            text.utf8.count <= 120
            && text.utf8.allSatisfy { byte in
                byte >= 0x20 && byte < 0x7F && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
            }
        result += "\""
        if isPlain {
            result += text
        } else {
            appendEscaped(text, to: &result)
        }
        result += "\""
    }

    private static func appendEscaped(_ text: String, to result: inout String) {
        for (index, scalar) in text.unicodeScalars.enumerated() {
            if index == 120 {
                result += "…"
                break
            }
            let isEscaped =
                scalar == "\"" || scalar == "\\" || scalar.isForbiddenInNames
                || scalar.properties.isWhitespace && scalar != " "
            if isEscaped {
                result += "\\u{\(String(scalar.value, radix: 16))}"
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
    }
}
