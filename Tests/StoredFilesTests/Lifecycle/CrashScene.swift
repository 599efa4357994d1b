import Foundation
import LifecycleTestSupport
import NIOCore
import StoredFiles
import StoredFilesTesting
import Testing

@testable import StoragesS3

/// A database, a storage, and what kills and looks.
struct CrashScene: Sendable {
    let server: TemporaryPostgres
    let url: String
    let place: SheetPlace
    let storage: any Storage

    /// Makes the database and its table.
    init(_ server: TemporaryPostgres, _ place: SheetPlace) async throws {
        try await self.init(unmigrated: server, place)
        let database = try await open()
        try await database.migrate(sheetMigrations)
        await database.close()
    }

    /// Makes an empty database.
    init(unmigrated server: TemporaryPostgres, _ place: SheetPlace) async throws {
        self.server = server
        url = try await server.makeDatabase()
        self.place = place
        storage = try place.makeStorage()
    }

    func open() async throws -> Database {
        try await Database.connect(url, storages: StorageRegistry([.sheets: storage]))
    }

    /// Starts a worker: this version's, unless another program is given.
    func start(
        _ seed: UInt64,
        _ failpoint: Failpoint? = nil,
        occurrence: Int = 1,
        program: String? = nil
    ) throws -> WorkerProcess {
        try WorkerProcess(
            [url, place.argument, "\(seed)", failpoint?.rawValue ?? "none", "\(occurrence)"],
            program: program
        )
    }

    /// No row without its complete bytes, no object without a row, nothing in the journal but tombstones.
    ///
    /// - Returns: How many files were looked at.
    @discardableResult
    func expectPromises(_ comment: Comment) async throws -> Int {
        let database = try await open()
        try await settle(database, comment)
        var named: Set<StorageName> = []
        for sheet in try await database.all(Sheet.self) {
            let file = try #require(sheet.file, comment)
            let expected = try #require(SheetContents(recipe: sheet.recipe), comment)
            do {
                let bytes = try await file.open().collect(upTo: 16 << 20)
                #expect(bytes == expected.bytes, "\(comment): \(file) is not what was uploaded")
            } catch let error as StorageError {
                Issue.record("\(comment): row \(sheet.id ?? 0) names \(file): \(error)")
            }
            named.insert(file.name)
        }
        for try await object in storage.list() {
            #expect(named.contains(object.name), "\(comment): no row names \(object.name)")
        }
        if case .bucket = place {
            var left: [String] = []
            try await place.makeS3Storage().forEachUpload(prefix: "") { upload in
                left.append(String(decoding: upload.key, as: UTF8.self))
            }
            #expect(left.isEmpty, "\(comment): uploads in parts were left")
        }
        await database.close()
        return named.count
    }

    /// Reaps until there is nothing left to do: reservations and leases of the dead have to run out first.
    private func settle(_ database: Database, _ comment: Comment) async throws {
        for _ in 0..<2000 {
            try await database.reap(ReaperConfiguration(retention: .zero), waitLimit: .seconds(60))
            let rows = try await database.query(
                """
                SELECT FROM stored_files.journal WHERE state <> 'deleted' \
                UNION ALL SELECT FROM stored_files.reservations UNION ALL SELECT FROM stored_files.let_go
                """
            )
            if rows.isEmpty { return }
            try await Task.sleep(for: .milliseconds(10))
        }
        Issue.record("\(comment): the journal is not empty")
    }

    func remove() {
        if case .folder(let root) = place { try? FileManager.default.removeItem(atPath: root) }
    }
}

extension SheetPlace {
    /// A folder of its own.
    static func newFolder() -> SheetPlace {
        .folder(FileManager.default.temporaryDirectory.appending(path: "crash-\(UUID().uuidString)").path)
    }

    /// A bucket of its own, on a shared server.
    static func newBucket(on program: Server = .openStackSwift) async throws -> SheetPlace {
        let kind: TemporaryS3.Kind =
            switch program {
            case .openStackSwift: .openStackSwift
            case .seaweedFS: .seaweedFS
            }
        let server = try await TemporaryS3.shared(kind)
        return .bucket(
            try await server.makeBucket(),
            on: program,
            endpoint: server.endpoint,
            accessKeyID: server.accessKeyID,
            secretAccessKey: server.secretAccessKey
        )
    }
}
