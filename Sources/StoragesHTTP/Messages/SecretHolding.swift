/// A type that shows nothing of what it holds: not in its descriptions, nor to `dump` and debuggers, which read
/// mirrors.
package protocol SecretHolding: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {}

extension Optional {
    /// The text that a mirror shows in place of a secret: whether there is one.
    package var masked: String { self == nil ? "none" : "…" }
}

extension SecretHolding {
    package var description: String { "\(Self.self)(…)" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: [:] as KeyValuePairs<String, Any>) }
}
