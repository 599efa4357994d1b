import Platform
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

    private typealias Outcome = (verdict: ProbeVerdict, unrecorded: StorageImage.SizeState?)

    /// The flights of the process.
    static let shared = ProbeFlights()

    private let flights = SingleFlight<Key, Outcome>(inheritsTaskLocals: true)
    private let refusals: RefusalMemory

    /// Creates a place for flights.
    ///
    /// - Parameter refusals: Where refusals of images that have a recorder are remembered.
    init(refusals: RefusalMemory = RefusalMemory()) {
        self.refusals = refusals
    }

    /// The number of probes under way.
    var count: Int { flights.callCount }

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
        let verdict = try await flights.value(for: key) { [refusals] in
            // A flight that has just ended may have left its verdict here.
            if let verdict = memory.verdict { return (verdict, unrecorded: nil) }
            let verdict = try await Self.probe(file, prober)
            memory.verdict = verdict
            if recorder != nil, case .refused(let error) = verdict, verdict.recorded == nil {
                refusals.remember(error, of: file, by: prober)
            }
            return (verdict, unrecorded: verdict.recorded)
        } followUp: { outcome in
            // Only the leader waits for the recorder. A follower may hold what the recorder waits for, such as the only
            // connection to a database, and must go on.
            if let recorder, let size = outcome.unrecorded { await recorder.recordSize(size, of: file.name) }
        }.verdict
        memory.verdict = verdict
        return verdict
    }

    private static func probe(_ file: StorageFile, _ prober: ImageProber) async throws -> ProbeVerdict {
        do {
            return .size(try await prober.probe(file).size)
        } catch let error as ImageError where error.isFinal {
            return .refused(error)
        }
    }
}
