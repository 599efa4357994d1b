import Foundation
import NIOConcurrencyHelpers
import StoragesHTTP

/// The offset between the clock of the service and ours, learnt only from requests that failed because of it.
final class ClockOffset: Sendable {
    private struct Known {
        var offset: TimeInterval
        /// The times of both clocks when the offset was learnt: when ours is set afterwards they no longer agree, and
        /// the offset is void.
        var wall: Date
        var monotonic: ContinuousClock.Instant
    }

    /// The offset in seconds that is not worth correcting: S3 allows 15 minutes.
    private static let tolerance: TimeInterval = 240

    private let known = NIOLockedValueBox<Known?>(nil)
    private let wall: @Sendable () -> Date

    /// Creates an offset of zero.
    init(wall: @escaping @Sendable () -> Date = { Date() }) {
        self.wall = wall
    }

    /// The time by the clock of the service.
    var now: Date { reading.date }

    /// The time by the clock of the service, and its known offset from ours.
    var reading: (date: Date, offset: TimeInterval) {
        let now = wall()
        let monotonic = ContinuousClock.now
        let offset = known.withLockedValue { known -> TimeInterval in
            guard let current = known else { return 0 }
            let passed = current.monotonic.duration(to: monotonic) / .seconds(1)
            guard abs(now.timeIntervalSince(current.wall) - passed) < 60 else {
                known = nil
                return 0
            }
            return current.offset
        }
        return (now.addingTimeInterval(offset), offset)
    }

    /// Learns from an error response, and returns whether the clock was the reason of the error.
    ///
    /// - Parameters:
    ///   - failure: The error response.
    ///   - used: The offset that the request was dated with: another request may have learnt a better one meanwhile,
    ///     and a request that took long is not dated wrong for that.
    func learn(from failure: S3Failure, used: TimeInterval) -> Bool {
        guard Self.isCandidate(failure), let server = Self.time(of: failure) else { return false }
        let wall = wall()
        let offset = server.timeIntervalSince(wall)
        guard abs(offset - used) > Self.tolerance else { return false }
        known.withLockedValue { $0 = Known(offset: offset, wall: wall, monotonic: ContinuousClock.now) }
        return true
    }

    private static func isCandidate(_ failure: S3Failure) -> Bool {
        guard let status = failure.status, status == 403 || status == 400 else { return false }
        switch failure.code {
        case .requestTimeTooSkewed, .requestExpired, .requestInTheFuture, .authFailure, .invalidSignatureException,
            .signatureDoesNotMatch, .accessDenied:
            return true
        case nil: return status == 403 && failure.method == .head
        default: return false
        }
    }

    private static func time(of failure: S3Failure) -> Date? {
        if let time = failure.document?.serverTime { return time }
        // The date of a response from a cache is that of its origin, and says nothing about the clock.
        if let age = failure.headers["Age"], age != "0" { return nil }
        return failure.headers["Date"].flatMap { HTTPDate.date(from: $0) }
    }
}
