// The code of the article GettingStarted, block by block: GuideTests compares the two and runs this.
import ServiceLifecycle
import StoredFiles

extension StorageID {
    static let contracts: Self = "contracts"
    static let portraits: Self = "portraits"
}

let peopleMigrations = [
    Migration("2026-12-01 create people") { schema in
        try await schema.create(table: "people") { table in
            table.identity()
            table.column("name", .text)
            table.storedFile("contract", in: .contracts)
            table.storedImage("portrait", in: .portraits, width: "portrait_width", height: "portrait_height")
        }
    }
]

struct GettingStartedGuide {
    @Model("people")
    struct Person {
        var id: Int64?
        var name: String
        @StoredFile(in: .contracts, path: "contracts", maxBytes: 20_000_000)
        var contract: StorageFile? = nil
        @StoredImage(in: .portraits, path: "portraits", width: "portrait_width", height: "portrait_height")
        var portrait: StorageImage? = nil
    }

    func openDatabase(at address: String, files: String) async throws -> Database {
        let storages = StorageRegistry([
            .contracts: try FileSystemStorage(root: files + "/contracts"),
            .portraits: try FileSystemStorage(root: files + "/portraits"),
        ])
        let database = try await Database.connect(address, storages: storages)
        try await database.migrate(peopleMigrations)
        try await database.verify(Person.self)
        return database
    }

    func addPerson(named name: String, portrait: String, to database: Database) async throws -> Person {
        var person = Person(name: name)
        person.portrait = try await database.store(.file(portrait), named: "portrait.jpg", for: \Person.$portrait)
        try await database.insert(&person)
        return person
    }

    func show(_ id: Int64, in database: Database) async throws {
        guard let person = try await database.find(Person.self, id) else { return }
        if let portrait = person.portrait {
            let size = try await portrait.dimensions()
            let url = try await portrait.url()
            print("\(person.name): \(size.width) × \(size.height) at \(url)")
        }
        if let contract = person.contract {
            print("The contract has \(try await contract.size()) bytes.")
        }
    }

    func replacePortrait(of person: Person, by picture: String, in database: Database) async throws {
        var person = person
        person.portrait = try await database.store(.file(picture), named: "portrait.jpg", for: \Person.$portrait)
        try await database.update(person, only: [\Person.portrait])
    }

    func run(_ server: some Service, with database: Database) async throws {
        let reaper = Reaper(database, configuration: ReaperConfiguration(retention: .seconds(3600)))
        let group = ServiceGroup(services: [reaper, server], logger: database.logger)
        try await group.run()
    }
}
