extension Duration {
    /// The number of whole milliseconds, rounded up: 0 for a negative duration, and the largest integer for one that
    /// has more.
    var milliseconds: Int {
        guard self > .zero else { return 0 }
        guard self < .seconds(Int64.max / 1000) else { return .max }
        let (seconds, attoseconds) = components
        return Int(clamping: seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }
}
