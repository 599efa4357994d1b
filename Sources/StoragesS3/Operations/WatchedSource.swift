import NIOConcurrencyHelpers
import NIOCore
import Storages

/// Reads a body whose source may deliver nothing for a limited time only.
///
/// A source need not end when its task is cancelled, so each chunk is read in a task of its own: after the limit that
/// task is cancelled and left alone, and nobody waits for it.
///
/// Used by one task; not `Sendable`.
final class WatchedSource {
    // Used by one task at a time: the one that reads a chunk, for which the owner waits; after the limit by that task
    // alone.
    private nonisolated(unsafe) let driver: BodyDriver
    /// The time that a source has to end when its task is cancelled; one that ignores that is left alone then.
    private static let patience = Duration.seconds(1)
    private let limit: Duration?
    private var isGivenUp = false

    init(_ driver: BodyDriver, _ limit: Duration?) {
        self.driver = driver
        self.limit = limit
    }

    /// Returns the next chunk; `nil` after the last one.
    ///
    /// - Throws: ``StorageError`` with code `sourceFailed` when nothing came in time; what the body throws.
    func next() async throws -> ByteBuffer? {
        guard let limit else { return try await driver.next() }
        guard !isGivenUp else { throw Self.silence(limit) }
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
        let timer = Task {
            try await Task.sleep(for: limit)
            first.set(nil)
        }
        defer { timer.cancel() }
        let outcome = await withTaskCancellationHandler {
            await first.wait()
        } onCancel: {
            reading.cancel()
            Task {
                try await Task.sleep(for: Self.patience)
                first.set(.failure(CancellationError()))
            }
        }
        guard let outcome else {
            isGivenUp = true
            reading.cancel()
            throw Self.silence(limit)
        }
        if case .failure = outcome { isGivenUp = true }
        return try outcome.get()
    }

    private static func silence(_ limit: Duration) -> StorageError {
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
