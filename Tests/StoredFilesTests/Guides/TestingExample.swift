// The code of the article Testing, block by block: GuideTests compares the two, and the suite in it runs.
import StoragesS3
import StoredFiles
import StoredFilesTesting
import Testing

func makePeopleDatabase(contracts: any Storage) async throws -> Database {
    let server = try await TemporaryPostgres.shared()
    let storages = StorageRegistry([.contracts: contracts, .portraits: MemoryStorage()])
    let database = try await Database.connect(try await server.makeDatabase(), storages: storages)
    try await database.migrate(peopleMigrations)
    return database
}

func makeS3Storage() async throws -> S3Storage {
    let server = try await TemporaryS3.shared(.seaweedFS)
    return try S3Storage(
        bucketName: try await server.makeBucket(),
        endpointURL: server.url,
        accessKeyID: server.accessKeyID,
        secretAccessKey: server.secretAccessKey,
        region: server.region
    )
}

enum TestingGuide {
    typealias Person = GettingStartedGuide.Person

    @Suite("The contracts of people")
    struct ContractTests {
        @Test("The file of a deleted row is deleted")
        func deletesFilesOfDeletedRows() async throws {
            let storage = MemoryStorage()
            let database = try await makePeopleDatabase(contracts: storage)
            var person = Person(name: "Ada")
            person.contract = try await database.store(.string("…"), named: "a.txt", for: \Person.$contract)
            try await database.insert(&person)
            let file = try #require(person.contract)

            try await database.delete(person)
            try await database.reap(ReaperConfiguration(retention: .zero))
            #expect(try await file.exists() == false)
            await database.close()
        }

        @Test("An upload that fails is reported and leaves nothing behind")
        func failedUpload() async throws {
            let storage = FaultyStorage(MemoryStorage())
            let database = try await makePeopleDatabase(contracts: storage)
            storage.inject(.error(StorageError(.unavailable, "The service is down.")), into: .upload)
            await #expect(throws: StorageError.self) {
                try await database.store(.string("…"), named: "a.txt", for: \Person.$contract)
            }
            var count = 0
            for try await _ in storage.list() { count += 1 }
            #expect(count == 0)
            await database.close()
        }
    }
}
