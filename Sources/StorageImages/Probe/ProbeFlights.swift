import NIOConcurrencyHelpers
import Storages

/// The probes that are under way in this process, so that callers who ask for the same image wait for the same probe.
///
/// The probe runs in a task of its own. A caller who is cancelled leaves; when the last one has left the probe is
/// cancelled.
///
/// The task has the task-local values of the caller who started it, the leader. The leader waits for the recorder, and
/// the recorder can only know through them what the leader holds while it waits: in a transaction, perhaps the one
/// connection that there is.
final class ProbeFlights: Sendable {
    /// The values that two callers have in common when they ask for the same probe.
    struct Key: Hashable {
        private let storage: StorageIdentity
        private let name: StorageName
        private let prober: ObjectIdentifier
        private let recorder: ObjectIdentifier?

        init(_ file: StorageFile, prober: ImageProber, recorder: (any ImageSizeRecorder)?) {
            // The flight holds the storage, so the identity cannot pass to another one meanwhile.
            storage = StorageIdentity(file.storage)
            name = file.name
            self.prober = prober.identity
            self.recorder = recorder.map { ObjectIdentifier($0) }
        }
    }

    private struct Waiter {
        let memory: ProbeMemory
        let continuation: CheckedContinuation<ProbeVerdict, any Error>
    }

    private struct Flight {
        let id: Int
        /// The caller who started it, and who waits until the size is recorded, too.
        let leader: Int
        var waiters: [Int: Waiter] = [:]
        var task: Task<Void, Never>?
        var verdict: ProbeVerdict?
    }

    private struct State {
        var flights: [Key: Flight] = [:]
        var nextID = 0
        /// Callers that were cancelled before they could join.
        var cancelled: Set<Int> = []

        mutating func makeID() -> Int {
            nextID += 1
            return nextID
        }
    }

    /// The flights of the process.
    static let shared = ProbeFlights()

    private let state = NIOLockedValueBox(State())
    private let refusals: RefusalMemory

    /// Creates a place for flights.
    ///
    /// - Parameter refusals: Where refusals of images that have a recorder are remembered.
    init(refusals: RefusalMemory = RefusalMemory()) {
        self.refusals = refusals
    }

    /// The number of probes under way.
    var count: Int { state.withLockedValue { $0.flights.count } }

    /// Waits for the probe of an image, and starts it when nobody has.
    func verdict(
        for file: StorageFile,
        prober: ImageProber,
        recorder: (any ImageSizeRecorder)?,
        memory: ProbeMemory
    ) async throws -> ProbeVerdict {
        // Only with a recorder, which means that the name is a row's: it never gets other bytes.
        if recorder != nil, let error = refusals.refusal(of: file, by: prober) {
            let verdict = ProbeVerdict.refused(error)
            memory.verdict = verdict
            return verdict
        }
        let key = Key(file, prober: prober, recorder: recorder)
        let id = state.withLockedValue { $0.makeID() }
        // The handler below cannot run any more when this does.
        defer { state.withLockedValue { _ = $0.cancelled.remove(id) } }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let waiter = Waiter(memory: memory, continuation: continuation)
                let answer = join(key, id, waiter) { flight in
                    Task { await self.run(key, flight, file, prober, recorder) }
                }
                if let answer { continuation.resume(with: answer) }
            }
        } onCancel: {
            leave(key, id)
        }
    }

    /// Joins a flight or starts one; returns the answer when there is nothing to wait for.
    private func join(
        _ key: Key,
        _ id: Int,
        _ waiter: Waiter,
        start: (_ flight: Int) -> Task<Void, Never>
    ) -> Result<ProbeVerdict, any Error>? {
        state.withLockedValue { state in
            if state.cancelled.remove(id) != nil { return .failure(CancellationError()) }
            // A flight that has just ended left its verdict here before it went.
            if let verdict = waiter.memory.verdict { return .success(verdict) }
            if let verdict = state.flights[key]?.verdict {
                waiter.memory.verdict = verdict
                return .success(verdict)
            }
            if state.flights[key] == nil {
                let flight = state.makeID()
                state.flights[key] = Flight(id: flight, leader: id)
                // Started under the lock: it cannot end before it is known.
                state.flights[key]?.task = start(flight)
            }
            state.flights[key]?.waiters[id] = waiter
            return nil
        }
    }

    private func leave(_ key: Key, _ id: Int) {
        let (waiter, task) = state.withLockedValue { state -> (Waiter?, Task<Void, Never>?) in
            guard let waiter = state.flights[key]?.waiters.removeValue(forKey: id) else {
                state.cancelled.insert(id)
                return (nil, nil)
            }
            guard let flight = state.flights[key], flight.waiters.isEmpty, flight.verdict == nil else {
                return (waiter, nil)
            }
            state.flights[key] = nil
            return (waiter, flight.task)
        }
        waiter?.continuation.resume(throwing: CancellationError())
        task?.cancel()
    }

    private func run(
        _ key: Key,
        _ flight: Int,
        _ file: StorageFile,
        _ prober: ImageProber,
        _ recorder: (any ImageSizeRecorder)?
    ) async {
        let verdict: ProbeVerdict
        do {
            verdict = .size(try await prober.probe(file).size)
        } catch let error as ImageError where error.isFinal {
            verdict = .refused(error)
        } catch {
            return end(key, flight, throwing: error)
        }
        guard let recorder, let size = verdict.recorded else {
            if recorder != nil, case .refused(let error) = verdict {
                refusals.remember(error, of: file, by: prober)
            }
            return end(key, flight, returning: verdict)
        }
        // Only the leader waits for the recorder. A follower may hold what the recorder waits for, such as the only
        // connection to a database, and must go on.
        land(key, flight, verdict)
        await recorder.recordSize(size, of: file.name)
        end(key, flight, returning: verdict)
    }

    private func land(_ key: Key, _ flight: Int, _ verdict: ProbeVerdict) {
        let followers = state.withLockedValue { state -> [Waiter] in
            guard var current = state.flights[key], current.id == flight else { return [] }
            current.verdict = verdict
            let followers = current.waiters.filter { $0.key != current.leader }
            current.waiters = current.waiters.filter { $0.key == current.leader }
            for waiter in current.waiters.values { waiter.memory.verdict = verdict }
            for waiter in followers.values { waiter.memory.verdict = verdict }
            state.flights[key] = current
            return Array(followers.values)
        }
        for waiter in followers { waiter.continuation.resume(returning: verdict) }
    }

    private func end(_ key: Key, _ flight: Int, returning verdict: ProbeVerdict) {
        let waiters = state.withLockedValue { state -> [Waiter] in
            guard let current = state.flights[key], current.id == flight else { return [] }
            for waiter in current.waiters.values { waiter.memory.verdict = verdict }
            state.flights[key] = nil
            return Array(current.waiters.values)
        }
        for waiter in waiters { waiter.continuation.resume(returning: verdict) }
    }

    private func end(_ key: Key, _ flight: Int, throwing error: any Error) {
        let waiters = state.withLockedValue { state -> [Waiter] in
            guard let current = state.flights[key], current.id == flight else { return [] }
            state.flights[key] = nil
            return Array(current.waiters.values)
        }
        for waiter in waiters { waiter.continuation.resume(throwing: error) }
    }
}
