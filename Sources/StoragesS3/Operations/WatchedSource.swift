import NIOConcurrencyHelpers
import NIOCore
import Storages

/// Reads a body whose source may deliver nothing for a limited time only.
///
/// A source need not end when its task is cancelled, so each chunk is read in a task of its own: after the limit that
/// task is cancelled, and no longer waited for. A body that is in memory is read directly, because it
/// cannot wait.
///
/// Used by one task; not `Sendable`.
final class WatchedSource {
    // Used by one task at a time: the one that reads a chunk, for which the owner waits; after the limit by that task
    // alone.
    private nonisolated(unsafe) let driver: BodyDriver
    /// The time that a source has to end when its task is cancelled; one that ignores that is left alone then.
    private static let cancellationTime = Duration.seconds(1)
    private let limit: Duration?
    private let timer: ReadTimer?
    private var isGivenUp = false

    init(_ driver: BodyDriver, _ limit: Duration?) {
        self.driver = driver
        self.limit = driver.isInMemory ? nil : limit
        timer = self.limit.map { ReadTimer(limit: $0) }
    }

    /// Returns the next chunk; `nil` after the last one.
    ///
    /// - Throws: ``StorageError`` with code `sourceFailed` when nothing came in time; what the body throws.
    func next() async throws -> ByteBuffer? {
        guard let limit, let timer else { return try await driver.next() }
        guard !isGivenUp else { throw Self.timeout(limit) }
        // Used by the task below alone until it has an outcome; after a timeout nobody else uses it any more.
        nonisolated(unsafe) let driver = driver
        let first = FirstOutcome()
        let reading = Task {
            do {
                first.set(.success(try await driver.next()))
            } catch {
                first.set(.failure(error))
            }
        }
        timer.start(first)
        defer { timer.stop() }
        let outcome = await withTaskCancellationHandler {
            await first.wait()
        } onCancel: {
            reading.cancel()
            Task {
                try await Task.sleep(for: Self.cancellationTime)
                first.set(.failure(CancellationError()))
            }
        }
        guard let outcome else {
            isGivenUp = true
            reading.cancel()
            throw Self.timeout(limit)
        }
        if case .failure = outcome { isGivenUp = true }
        return try outcome.get()
    }

    private static func timeout(_ limit: Duration) -> StorageError {
        StorageError(
            .sourceFailed,
            "The source of the upload delivered nothing for \(limit), so nothing was stored. If it may take longer, "
                + "raise the option transfers.sourceTimeout."
        )
    }
}

/// The first outcome: a chunk, the end or an error of the source, or `nil` for none of them in time.
private final class FirstOutcome: Sendable {
    typealias Outcome = Result<ByteBuffer?, any Error>?

    private enum State {
        case open(CheckedContinuation<Outcome, Never>?)
        case decided(Outcome)
    }

    private let state = NIOLockedValueBox(State.open(nil))

    func set(_ outcome: Outcome) {
        let waiter = state.withLockedValue { state -> CheckedContinuation<Outcome, Never>? in
            guard case .open(let waiter) = state else { return nil }
            state = .decided(outcome)
            return waiter
        }
        waiter?.resume(returning: outcome)
    }

    func wait() async -> Outcome {
        await withCheckedContinuation { continuation in
            let outcome = state.withLockedValue { state -> Outcome? in
                if case .decided(let outcome) = state { return .some(outcome) }
                state = .open(continuation)
                return nil
            }
            if let outcome { continuation.resume(returning: outcome) }
        }
    }
}

/// Ends the read of a chunk that takes too long.
///
/// One timer serves all chunks of a source. It wakes up at the deadline of the first chunk, and then sleeps until the
/// deadline of the chunk that is being read.
private final class ReadTimer: Sendable {
    private struct State {
        var read: FirstOutcome?
        var deadline: ContinuousClock.Instant
        var task: Task<Void, any Error>?
    }

    private let limit: Duration
    private let state: NIOLockedValueBox<State>

    init(limit: Duration) {
        self.limit = limit
        state = NIOLockedValueBox(State(deadline: .now))
    }

    deinit {
        state.withLockedValue { $0.task }?.cancel()
    }

    /// Begins to measure the time of a read.
    func start(_ read: FirstOutcome) {
        state.withLockedValue { state in
            state.read = read
            state.deadline = .now + limit
            guard state.task == nil else { return }
            // It holds the state and not the timer, whose end ends it.
            state.task = Task { [limit, box = self.state] in
                while true {
                    let next = box.withLockedValue { $0.read == nil ? .now + limit : $0.deadline }
                    try await Task.sleep(until: next)
                    let late = box.withLockedValue { $0.deadline <= .now ? $0.read : nil }
                    if let late { return late.set(nil) }
                }
            }
        }
    }

    /// Ends the measurement.
    func stop() {
        state.withLockedValue { $0.read = nil }
    }
}
