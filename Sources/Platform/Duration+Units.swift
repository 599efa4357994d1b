extension Duration {
    /// The number of seconds, with fractions.
    package var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }

    /// The number of whole milliseconds, rounded up: 0 for a negative duration, and the largest integer for one that
    /// has more.
    package var milliseconds: Int {
        guard self > .zero else { return 0 }
        guard self < .seconds(Int64.max / 1000) else { return .max }
        let (seconds, attoseconds) = components
        return Int(clamping: seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }

    /// The number of whole nanoseconds, rounded down: 0 for a negative duration, and a century for a longer one.
    package var nanoseconds: UInt64 {
        let century: Int64 = 3_155_760_000
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        guard seconds < century else { return UInt64(century) * 1_000_000_000 }
        return UInt64(seconds) * 1_000_000_000 + UInt64(attoseconds) / 1_000_000_000
    }
}
