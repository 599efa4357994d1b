// The code of the article LifeOfAFile, block by block: GuideTests compares the two.
import StoredFiles

struct LifeOfAFileGuide {
    typealias Person = GettingStartedGuide.Person

    func addPerson(named name: String, contract: UploadBody, to database: Database) async throws {
        try await database.transaction { transaction in
            var person = Person(name: name)
            person.contract = try await transaction.store(contract, named: "contract.pdf", for: \Person.$contract)
            try await transaction.insert(&person)
        }
    }

    func duplicate(_ person: Person, in database: Database) async throws -> Person {
        var twin = Person(name: person.name)
        twin.contract = try await database.copy(person.contract, for: \Person.$contract)
        try await database.insert(&twin)
        return twin
    }

    func erase(_ file: StorageFile, in database: Database) async throws {
        let receipt = try await database.purge(file.name, in: .contracts)
        switch receipt.outcome {
        case .deleted: print("Removed: \(receipt.files)")
        case .live: print("A row still references the file, so it stays.")
        case .pending: print("The reaper deletes the file later.")
        }
    }

    func compare(_ database: Database) async throws {
        let summary = try await database.fsck(.contracts) { finding in print(finding) }
        print("\(summary.orphans) orphans, \(summary.danglingRows) dangling rows")
    }
}
