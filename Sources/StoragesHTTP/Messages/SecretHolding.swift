/// A type that shows nothing of what it holds: not in its descriptions, nor to `dump` and debuggers, which read
/// mirrors.
protocol SecretHolding: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {}

extension Optional {
    /// The text that a mirror shows in place of a secret: whether there is one.
    var masked: String { self == nil ? "none" : "…" }
}

extension SecretHolding {
    var description: String { "\(Self.self)(…)" }
    var debugDescription: String { description }
    var customMirror: Mirror { Mirror(self, children: [:] as KeyValuePairs<String, Any>) }
}
