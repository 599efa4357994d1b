/// A promise of `Storage` that a storage has not kept.
public struct ConformanceFailure: Error, Sendable, CustomStringConvertible {
    /// The name of the check.
    public let check: String
    /// A description of what was expected and what happened.
    public let message: String

    /// Creates a failure.
    ///
    /// - Parameters:
    ///   - check: The name of the check.
    ///   - message: What was expected and what happened.
    public init(check: String, message: String) {
        self.check = check
        self.message = message
    }

    /// The check and the message.
    public var description: String { "\(check): \(message)" }
}
