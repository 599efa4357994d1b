import NIOCore

/// Nanoseconds of a clock that never goes back, cheap enough for every release of a connection.
enum MonotonicTime {
    static var now: UInt64 {
        NIODeadline.now().uptimeNanoseconds
    }
}

extension Duration {
    /// The duration in whole nanoseconds; 0 for negative durations, a century for longer ones.
    var nanoseconds: UInt64 {
        let century: Int64 = 3_155_760_000
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        guard seconds < century else { return UInt64(century) * 1_000_000_000 }
        return UInt64(seconds) * 1_000_000_000 + UInt64(attoseconds) / 1_000_000_000
    }
}
