import NIOConcurrencyHelpers
import PostgresModels
import StorageImages
import Storages

/// The objects that this library hangs onto a database: the storages by their names, one size recorder per pair of
/// columns, and the uploads that are under way.
final class FileContext: Sendable {
    let storages: StorageRegistry
    let prober: ImageProber
    let lifecycle: LifecycleConfiguration
    let link: DatabaseLink
    let leases: UploadLeases
    private let recorders = NIOLockedValueBox<[SizeRecorder.Target: SizeRecorder]>([:])
    private let bareFields = NIOLockedValueBox<[BareField: Bareness]>([:])
    private let owned = NIOLockedValueBox<[StorageID: ContinuousClock.Instant]>([:])
    private let observer = NIOLockedValueBox<(@Sendable (LifecycleStep) async -> Void)?>(nil)

    private struct BareField: Hashable {
        let table: String
        let column: String
    }

    /// The finding that a field has no triggers, with the time until which it is trusted, and the room of its column.
    private struct Bareness {
        let end: ContinuousClock.Instant
        let room: StorageName.Room?
    }

    init(storages: StorageRegistry, prober: ImageProber, lifecycle: LifecycleConfiguration) {
        self.storages = storages
        self.prober = prober
        self.lifecycle = lifecycle
        link = DatabaseLink()
        leases = UploadLeases(link: link, claimPeriod: lifecycle.claimPeriod)
    }

    /// The recorder for a pair of columns: one for all rows and all queries, so that an image costs no allocation.
    func recorder(for target: SizeRecorder.Target) -> SizeRecorder {
        recorders.withLockedValue { recorders in
            if let recorder = recorders[target] { return recorder }
            let recorder = SizeRecorder(target: target, link: link)
            recorders[target] = recorder
            return recorder
        }
    }

    /// The database, for as long as it is in use.
    func openDatabase() throws -> Database {
        guard let database = link.database else {
            throw DatabaseError(code: .closed, message: "The database is not in use any more; open it again.")
        }
        return database
    }

    /// Reserves a name in the journal, unless the field is known to have no triggers.
    ///
    /// That a field has none is believed for a minute where no field of its storage has any, so that a table without
    /// them costs no failing statement per upload.
    func reserve(
        _ name: StorageName,
        for field: Journal.Field,
        _ journal: Journal
    ) async throws -> Journal.Reservation {
        let key = BareField(table: field.table, column: field.column)
        let now = ContinuousClock.now
        if let known = bareFields.withLockedValue({ $0[key] }), now < known.end {
            if let room = known.room, !name.fits(into: room) { return .tooLong(room) }
            return .none(isMomentary: false, known.room)
        }
        let reservation = try await journal.reserve(name, for: field, claimPeriod: lifecycle.claimPeriod)
        if case .none(isMomentary: false, let room) = reservation {
            bareFields.withLockedValue { $0[key] = Bareness(end: now + .seconds(60), room: room) }
        }
        return reservation
    }

    // MARK: Ownership

    /// Returns whether the database was recently found to own a storage.
    func isOwner(of storage: StorageID) -> Bool {
        owned.withLockedValue { owned in owned[storage].map { .now < $0 } ?? false }
    }

    func setOwner(of storage: StorageID, until end: ContinuousClock.Instant) {
        owned.withLockedValue { $0[storage] = end }
    }

    // MARK: Steps

    /// Registers an observer of the steps for a test, which may end the process there.
    package func observeSteps(_ observe: @escaping @Sendable (LifecycleStep) async -> Void) {
        observer.withLockedValue { $0 = observe }
    }

    func reach(_ step: LifecycleStep) async {
        guard let observe = observer.withLockedValue({ $0 }) else { return }
        await observe(step)
    }
}

/// The way from a loaded image back to the database that its size belongs into.
///
/// It is weak: an image that outlives the database must not keep its connections open.
final class DatabaseLink: Sendable {
    private struct Reference {
        weak var database: Database?
    }

    private let reference = NIOLockedValueBox(Reference())

    var database: Database? {
        get { reference.withLockedValue { $0.database } }
        set { reference.withLockedValue { $0.database = newValue } }
    }
}
