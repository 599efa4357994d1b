import NIOConcurrencyHelpers
import PostgresModels
import StorageImages
import Storages

/// What this library hangs onto a database: the storages by their names, and one size recorder per pair of columns.
final class FileContext: Sendable {
    let storages: StorageRegistry
    let prober: ImageProber
    let link = DatabaseLink()
    private let recorders = NIOLockedValueBox<[SizeRecorder.Target: SizeRecorder]>([:])

    init(storages: StorageRegistry, prober: ImageProber) {
        self.storages = storages
        self.prober = prober
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
