/// The place of the new files of a field in a storage: a folder, or a rule that makes one from the file's original
/// name.
///
/// ```swift
/// @StoredFile(in: .documents, path: "releases")                      // releases/01JD…/contract.pdf
/// @StoredFile(in: .documents, path: .folder { $0.hasSuffix(".pdf") ? "pdf" : "other" })
/// ```
/// The path is sanitised like a name. A random, time-ordered component always follows it, so two files never meet.
public struct StoredPath: Sendable, ExpressibleByStringLiteral {
    private enum Rule: Sendable {
        case fixed(String)
        case computed(@Sendable (String) -> String)
    }

    private let rule: Rule

    /// No folder: the random component comes first.
    public static let top = StoredPath("")

    /// A fixed folder.
    ///
    /// - Parameter folder: A relative path, for example `"covers/large"`.
    public init(_ folder: String) {
        rule = .fixed(folder)
    }

    /// A fixed folder, written as a literal.
    ///
    /// - Parameter value: A relative path.
    public init(stringLiteral value: String) {
        self.init(value)
    }

    /// A folder that depends on the file.
    ///
    /// - Parameter make: Gets the original name as the caller of `store` gave it, which is hostile input as far as
    ///   the library knows; what it returns is sanitised.
    /// - Returns: The rule.
    public static func folder(_ make: @escaping @Sendable (String) -> String) -> StoredPath {
        StoredPath(rule: .computed(make))
    }

    private init(rule: Rule) {
        self.rule = rule
    }

    /// The folder for one file.
    ///
    /// - Parameter original: The file's original name.
    /// - Returns: The folder, not yet sanitised; empty for the top.
    public func folder(for original: String) -> String {
        switch rule {
        case .fixed(let folder): folder
        case .computed(let make): make(original)
        }
    }
}
