import Foundation
import Platform
import StoragesS3
import StoredFiles
import StoredFilesTesting
import Testing

/// Rows whose files are on real S3 servers.
@Suite("Models with files on S3", .timeLimit(.minutes(5)))
struct S3ModelTests {
    /// A database with the table of albums, and a bucket.
    private static func run(
        _ kind: TemporaryS3.Kind,
        as id: StorageID = .pictures,
        requiresConditions: Bool = false,
        _ body: (Database, S3Storage) async throws -> Void
    ) async throws {
        let server = try await TemporaryS3.shared(kind)
        var options = S3Options()
        options.server = kind == .rclone ? .rclone : .automatic
        let storage = try S3Storage(
            bucketName: try await server.makeBucket(),
            endpointURL: server.endpoint,
            accessKeyID: server.accessKeyID,
            secretAccessKey: server.secretAccessKey,
            useSSL: false,
            querystringAuth: true,
            options: options
        )
        try await TemporaryPostgres.testPermits.withPermit {
            let database = try await Database.connect(
                try await TemporaryPostgres.shared().makeDatabase(),
                storages: StorageRegistry([
                    .pictures: id == .pictures ? storage : MemoryStorage(),
                    .papers: id == .papers ? storage : MemoryStorage(),
                ]),
                lifecycle: LifecycleConfiguration(requiresConditionalUploads: requiresConditions)
            )
            try await database.migrate(albumMigrations)
            try await body(database, storage)
            await database.close()
        }
    }

    @Test(
        "An S3 server that may overwrite objects is refused before the upload, unless allowed",
        arguments: [TemporaryS3.Kind.openStackSwift, .rclone],
        [true, false]
    )
    func overwriting(_ kind: TemporaryS3.Kind, requiresConditions: Bool) async throws {
        try await Self.run(kind, requiresConditions: requiresConditions) { database, storage in
            let upload = try UploadBody.buffer(fixture("32x16.png"))
            guard requiresConditions else {
                let file = try await database.store(upload, named: "a.png", for: \Album.$cover)
                #expect(try await file.file.open().collect(upTo: 1 << 20) == fixture("32x16.png"))
                return
            }
            let error = await #expect(throws: StorageError.self) {
                try await database.store(upload, named: "a.png", for: \Album.$cover)
            }
            #expect(error?.code == .unsupported)
            #expect(error?.message.contains("requiresConditionalUploads") == true)
            // And of a copy.
            let other = try await storage.upload(.buffer(fixture("32x16.png")), to: storage.name(for: "other.png"))
            let original = StorageImage(file: StorageFile(name: other.name, in: storage))
            let copy = await #expect(throws: StorageError.self) {
                try await database.copy(original, for: \Album.$cover)
            }
            #expect(copy?.code == .unsupported)
            var names: [StorageName] = []
            for try await file in storage.list() { names.append(file.name) }
            #expect(names == [other.name])
            expectEqual(try await database.query("SELECT FROM stored_files.reservations").count, 0)
        }
    }

    @Test("A file with a content encoding is not copied into another storage")
    func encoded() async throws {
        try await Self.run(.openStackSwift, as: .papers) { database, storage in
            var parameters = S3ObjectParameters()
            parameters.contentEncoding = "gzip"
            let name = try await storage.applying(parameters)
                .upload(.string("coded"), to: StorageName(validating: "a.css")).name
            let copy = try await database.copy(StorageFile(name: name, in: storage), for: \Album.$paper)
            #expect(try await copy?.info().contentEncoding == "gzip")

            // The same bucket, by a storage that is not the field's.
            let shelf = PrefixedStorage(prefix: try StorageName(validating: "shelf"), of: storage)
            _ = try await storage.copy(name, to: StorageName(validating: "shelf/a.css"))
            let source = StorageFile(name: name, in: shelf)
            let error = await #expect(throws: StorageError.self) {
                try await database.copy(source, for: \Album.$paper)
            }
            #expect(error?.code == .unsupported)
            #expect(error?.message.contains("gzip") == true)
            #expect(error?.name == "a.css")
        }
    }

    @Test(
        "An image on S3 comes back with its size and is deleted with its row",
        arguments: [TemporaryS3.Kind.openStackSwift, .rclone]
    )
    func roundTrip(_ kind: TemporaryS3.Kind) async throws {
        try await Self.run(kind) { database, storage in
            var album = Album(title: "on S3")
            album.cover = try await database.store(
                .buffer(fixture("32x16.png")),
                named: "My cover.png",
                for: \Album.$cover
            )
            try await database.insert(&album)
            let id = try #require(album.id)
            let found = try #require(try await database.find(Album.self, id))
            let cover = try #require(found.cover)
            #expect(cover.pixelSize == PixelSize(width: 32, height: 16))
            #expect(try await cover.dimensions() == PixelSize(width: 32, height: 16))
            #expect(try await cover.file.open().collect(upTo: 1 << 20) == fixture("32x16.png"))
            #expect(try await cover.file.info().contentType == .png)
            #expect(try await cover.url().contains("X-Amz-Signature="))

            try await database.delete(found)
            try await database.reap(ReaperConfiguration(retention: .zero))
            #expect(try await storage.exists(cover.file.name) == false)
        }
    }

    @Test("The size of an image on S3 is read from the object and recorded in its row")
    func probe() async throws {
        try await Self.run(.openStackSwift) { database, storage in
            let file = try await storage.upload(.buffer(fixture("32x16.png")), to: storage.name(for: "by/hand.png"))
            _ = try await database.query(
                "INSERT INTO albums (title, cover) VALUES ('by hand', \(file.name.string)) RETURNING id"
            )
            let album = try #require(try await database.first(Album.self, ""))
            #expect(album.cover?.pixelSize == nil)
            #expect(try await album.cover?.dimensions() == PixelSize(width: 32, height: 16))
            let again = try #require(try await database.first(Album.self, ""))
            #expect(again.cover?.pixelSize == PixelSize(width: 32, height: 16))
        }
    }

    @Test("A transaction that fails removes its upload from S3")
    func compensation() async throws {
        struct Stop: Error {}
        try await Self.run(.openStackSwift, as: .papers) { database, storage in
            await #expect(throws: Stop.self) {
                try await database.transaction { transaction in
                    var album = Album(title: "never")
                    album.paper = try await transaction.store(.string("text"), named: "a.txt", for: \Album.$paper)
                    try await transaction.insert(&album)
                    throw Stop()
                }
            }
            var left: [StorageName] = []
            for try await file in storage.list() { left.append(file.name) }
            #expect(left.isEmpty)
        }
    }
}
