import NIOCore

/// Nanoseconds of a clock that never goes back, cheap enough for every release of a connection.
enum MonotonicTime {
    static var now: UInt64 {
        NIODeadline.now().uptimeNanoseconds
    }
}
