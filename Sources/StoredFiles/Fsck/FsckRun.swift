import Foundation
import Platform
import PostgresModels
import StorageImages
import Storages

/// One comparison of a storage with the rows: a merge of two ordered sequences.
///
/// Neither is a snapshot of the other's moment, so what does not fit is only a candidate: it is looked up again, in the
/// database and the journal after the object was listed, in the storage after the row was read.
struct FsckRun: ~Copyable {
    /// The number of candidates that are looked up in one go.
    private static let batchSize = 500
    private static let concurrency = 16
    /// The number of orphans that are always taken for what they seem.
    private static let orphansAtOnce = 1000

    let database: Database
    let id: StorageID
    let storage: any Storage
    let configuration: FsckConfiguration
    let onProgress: (@Sendable (FsckProgress) -> Void)?
    /// The count of keys that the listing skips.
    let foreignKeys: ForeignKeyCount
    /// Fails unless the database decides about the files of the storage.
    let checkOwner: @Sendable () async throws -> Void

    typealias Report = (FsckFinding) async throws -> Void

    private var journal: Journal { Journal(database: database, isIndependent: false) }
    private var progress = FsckProgress()
    private var orphans: [FileInfo] = []
    /// The number of objects that are the storage's own: those of which orphans are a part.
    private var ownObjects = 0
    /// The orphans that are not condemned yet.
    private var unwanted: [StorageName] = []
    private var dangling: [NameReferences.Element] = []
    private var sized: [NameReferences.Element] = []
    private let start = ContinuousClock.now

    init(
        database: Database,
        id: StorageID,
        storage: any Storage,
        configuration: FsckConfiguration,
        foreignKeys: ForeignKeyCount,
        checkOwner: @escaping @Sendable () async throws -> Void,
        onProgress: (@Sendable (FsckProgress) -> Void)?
    ) {
        self.database = database
        self.id = id
        self.storage = storage
        self.configuration = configuration
        self.onProgress = onProgress
        self.foreignKeys = foreignKeys
        self.checkOwner = checkOwner
        progress.position = configuration.position
    }

    mutating func run(_ report: Report) async throws -> FsckProgress {
        let fields = try await NameReferences.fields(of: id, in: database)
        if configuration.repairs {
            guard !fields.isEmpty else {
                throw StorageError(
                    .invalidConfiguration,
                    """
                    No column names files of the storage "\(id)", so all of them would be orphans. Look at the id: \
                    after a change of it, call schema.renameStorage in a migration.
                    """,
                    storage: storage.label
                )
            }
            try await checkOwner()
        }
        // What was let go of is on its way already.
        try await journal.drain(id)
        let references = NameReferences(
            database: database,
            fields: fields,
            prefix: configuration.prefix,
            position: configuration.position
        )
        var rows = references.makeAsyncIterator()
        var files = listing().makeAsyncIterator()
        var row = try await nextRow(&rows)
        var file = try await nextFile(&files)
        var passed = configuration.position
        while row != nil || file != nil {
            switch (file, row) {
            case (let current?, let other) where other.map({ isBefore(current.name, $0) }) ?? true:
                // What the storage has from another one is not its to lose.
                if isOldEnough(current), !current.isInherited { orphans.append(current) }
                passed = current.name
                file = try await nextFile(&files)
            case (let current, let other?):
                if current.map({ isEqual($0.name, other) }) == true {
                    if configuration.checks.contains(.sizes), other.size != nil { sized.append(other) }
                    passed = StorageName(unchecked: other.reference.name)
                    row = try await nextRow(&rows)
                    // Several rows may have one name; the object is done when the next row has another.
                    if let current, row.map({ isEqual(current.name, $0) }) != true { file = try await nextFile(&files) }
                } else {
                    dangling.append(other)
                    passed = StorageName(unchecked: other.reference.name)
                    row = try await nextRow(&rows)
                }
            default:
                return progress
            }
            if max(orphans.count, dangling.count, sized.count) >= Self.batchSize
                || (progress.objects + progress.rows) % 10_000 == 0
            {
                try await settle(upTo: passed, report)
            }
        }
        try await settle(upTo: passed, report)
        try await condemn(isEnd: true)
        return progress
    }

    // MARK: The two sequences

    private func listing() -> FileListing {
        let files = storage.list(prefix: configuration.prefix)
        return storage.capabilities.contains(.orderedListing) ? files : ExternalSort().sorted(files)
    }

    private mutating func nextFile(_ files: inout FileListing.AsyncIterator) async throws -> FileInfo? {
        while let file = try await files.next() {
            if let position = configuration.position, file.name <= position { continue }
            progress.objects += 1
            if !file.isInherited { ownObjects += 1 }
            try await pace()
            return file
        }
        return nil
    }

    private mutating func nextRow(_ rows: inout NameReferences.AsyncIterator) async throws -> NameReferences.Element? {
        guard let row = try await rows.next() else { return nil }
        progress.rows += 1
        return row
    }

    private func isBefore(_ name: StorageName, _ row: NameReferences.Element) -> Bool {
        name.string.utf8.lexicographicallyPrecedes(row.reference.name.utf8)
    }

    private func isEqual(_ name: StorageName, _ row: NameReferences.Element) -> Bool {
        name.string.utf8.elementsEqual(row.reference.name.utf8)
    }

    private func isOldEnough(_ file: FileInfo) -> Bool {
        guard let modified = file.modified else { return true }
        return -modified.timeIntervalSinceNow >= configuration.minimumAge.inSeconds
    }

    /// Waits as long as the objects so far should have taken.
    private func pace() async throws {
        guard let rate = configuration.objectsPerSecond, progress.objects % 10 == 0 else { return }
        try await Task.sleep(until: start + .seconds(Double(progress.objects) / Double(rate)))
    }

    // MARK: Candidates

    /// Looks up all candidates, reports what is left of them, and says how far it is.
    private mutating func settle(upTo position: StorageName?, _ report: Report) async throws {
        try await settleOrphans(report)
        try await settleDangling(report)
        try await settleSizes(report)
        progress.position = position
        (progress.foreignKeys, progress.foreignKeySamples) = foreignKeys.value
        onProgress?(progress)
    }

    private mutating func settleOrphans(_ report: Report) async throws {
        let candidates = orphans
        orphans.removeAll(keepingCapacity: true)
        guard configuration.checks.contains(.orphans), !candidates.isEmpty else { return }
        // A variant belongs to its image.
        let owners = candidates.map { $0.name.variantOwner ?? $0.name.string }
        try await journal.drain(id)
        // The rows first: a name that its row lets go of between the two is in one of the tables by then. Those in one
        // statement, because a reaper moves names from one to the other.
        let rows = try await database.query(
            "SELECT n FROM \(raw: JournalSchema.name).named(\(id.rawValue), \(owners)) AS n"
        )
        let pending = try await database.query(
            """
            SELECT name FROM \(raw: JournalSchema.name).journal WHERE storage = \(id.rawValue) AND name = ANY \
            (\(owners)) UNION SELECT name FROM \(raw: JournalSchema.name).reservations WHERE storage = \(id.rawValue) \
            AND name = ANY (\(owners)) UNION SELECT u FROM \(raw: JournalSchema.name).let_go AS l, unnest(l.names) AS \
            u WHERE l.storage = \(id.rawValue) AND u = ANY (\(owners))
            """
        )
        let names = Set(try (Array(rows) + Array(pending)).map { Array(try $0.decode(String.self, at: 0).utf8) })
        let found = zip(candidates, owners).filter { !names.contains(Array($0.1.utf8)) }.map(\.0)
        for file in found { try await report(.orphan(file)) }
        progress.orphans += found.count
        guard configuration.repairs else { return }
        unwanted += found.map(\.name)
        try await condemn(isEnd: false)
    }

    /// Condemns orphans, unless there are so many that something else must be wrong.
    ///
    /// Up to a thousand are kept until the end; beyond that their share of the objects so far decides.
    private mutating func condemn(isEnd: Bool) async throws {
        guard !unwanted.isEmpty, isEnd || unwanted.count >= Self.orphansAtOnce else { return }
        let limit = configuration.orphanLimit ?? max(Self.orphansAtOnce, ownObjects / 20)
        guard progress.orphans <= limit else {
            throw StorageError(
                .preconditionFailed,
                """
                \(progress.orphans) of the \(ownObjects) objects seen are named by no row, more than \(limit): \
                nothing was condemned of the last \(unwanted.count). Look at what is reported; if they are to go, set \
                orphanLimit.
                """,
                storage: storage.label
            )
        }
        // Condemned, not deleted: a row that names one of them meanwhile claims it.
        for start in stride(from: 0, to: unwanted.count, by: Self.batchSize) {
            let batch = unwanted[start..<min(start + Self.batchSize, unwanted.count)].map(\.string)
            progress.repaired += try await database.maintenanceTransaction { transaction in
                let rows = try await transaction.query(
                    "SELECT \(raw: JournalSchema.name).condemn(\(id.rawValue), \(batch))"
                )
                return Int(try rows.first?.decode(Int32.self, at: 0) ?? 0)
            }
        }
        unwanted.removeAll(keepingCapacity: true)
    }

    private mutating func settleDangling(_ report: Report) async throws {
        let candidates = dangling
        dangling.removeAll(keepingCapacity: true)
        guard configuration.checks.contains(.danglingRows), !candidates.isEmpty else { return }
        let missing = try await candidates.mapConcurrently(limit: Self.concurrency) { [storage] candidate -> Bool in
            guard let name = try? StorageName(validating: candidate.reference.name) else { return true }
            return try await !storage.exists(name)
        }
        let names = zip(candidates, missing).filter(\.1).map(\.0)
        // The row may have let go of the file meanwhile.
        let still = try await database.query(
            "SELECT n FROM \(raw: JournalSchema.name).named(\(id.rawValue), \(names.map(\.reference.name))) AS n"
        )
        let named = Set(try still.map { Array(try $0.decode(String.self, at: 0).utf8) })
        for candidate in names where named.contains(Array(candidate.reference.name.utf8)) {
            progress.danglingRows += 1
            try await report(.danglingRow(candidate.reference))
        }
    }

    private mutating func settleSizes(_ report: Report) async throws {
        let candidates = sized
        sized.removeAll(keepingCapacity: true)
        guard !candidates.isEmpty else { return }
        let prober = ImageProber(mode: .headerOnly)
        let actual = try await candidates.mapConcurrently(limit: Self.concurrency) {
            [storage] candidate -> StorageImage.SizeState? in
            guard let file = try? StorageFile(name: candidate.reference.name, in: storage) else { return nil }
            do {
                return .known(try await prober.probe(file).size)
            } catch is ImageError {
                return .notAnImage
            } catch let error as StorageError where error.code == .notFound {
                return nil
            }
        }
        for (candidate, actual) in zip(candidates, actual) {
            guard let columns = candidate.size, let actual else { continue }
            let cached = StorageImage.SizeState(width: columns.width, height: columns.height)
            // What a decoder has refused is no image, whatever its header says.
            if cached == actual || cached == .notAnImage { continue }
            progress.wrongSizes += 1
            try await report(.wrongSize(candidate.reference, cached: cached, actual: actual))
            if configuration.repairs, let names = candidate.sizeColumns {
                try await forget(columns, in: names, of: candidate.reference)
            }
        }
    }

    private mutating func forget(
        _ size: (width: Int, height: Int),
        in columns: SizeColumns,
        of reference: FsckFinding.Reference
    ) async throws {
        // The table comes quoted from the server; the size has to be the one that was found wrong.
        progress.repaired += try await database.execute(
            """
            UPDATE \(raw: reference.table) SET \(identifier: columns.width) = NULL, \(identifier: columns.height) = \
            NULL WHERE \(identifier: reference.column) = \(reference.name) AND \(identifier: columns.width) = \
            \(Int32(clamping: size.width)) AND \(identifier: columns.height) = \(Int32(clamping: size.height))
            """
        )
    }
}
