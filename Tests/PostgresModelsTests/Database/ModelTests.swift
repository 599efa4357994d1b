import PostgresModels
import StoredFilesTesting
import TestSupport
import Testing

@Suite("Models and their rows")
struct ModelTests {
    @Test("A row is inserted, found, updated and deleted")
    func aRowIsInsertedFoundUpdatedAndDeleted() async throws {
        try await withDatabase { database in
            try await database.migrate([Author.migration])
            var author = Author(name: "Ada", born: 1815)
            try await database.insert(&author)
            let id = try #require(author.id)
            #expect(try await database.find(Author.self, id) == author)
            author.born = nil
            try await database.update(author)
            #expect(try await database.find(Author.self, id) == author)
            #expect(try await database.delete(author))
            #expect(try await database.find(Author.self, id) == nil)
            let again = try await database.delete(author)
            #expect(!again)
        }
    }

    @Test("An update of some properties leaves the other columns unchanged")
    func updateOfSomePropertiesLeavesTheOthersToOthers() async throws {
        try await withDatabase { database in
            try await database.migrate([Author.migration])
            var author = Author(name: "Ada", born: 1)
            try await database.insert(&author)
            let id = try #require(author.id)
            try await database.execute("UPDATE authors SET name = 'Countess' WHERE id = \(id)")
            author.born = 1815
            try await database.update(author, only: [\.born])
            let found = try #require(await database.find(Author.self, id))
            #expect(found.name == "Countess")
            #expect(found.born == 1815)
        }
    }

    @Test("Updating a model without a key or a deleted row is an error")
    func updateOfARowThatIsGoneIsAnError() async throws {
        try await withDatabase { database in
            try await database.migrate([Author.migration])
            var author = Author(name: "Ada")
            let unsaved = author
            let noKey = try await databaseError { try await database.update(unsaved) }
            #expect(noKey?.code == .invalidArgument)
            try await database.insert(&author)
            try await database.delete(author)
            let gone = author
            let notFound = try await databaseError { try await database.update(gone) }
            #expect(notFound?.code == .notFound)
        }
    }

    @Test("Ten thousand rows are inserted in order, and a failing insert adds none")
    func tenThousandRowsAreInsertedInOrderAllOrNone() async throws {
        try await withDatabase { database in
            try await database.migrate([Author.migration])
            var authors = (0..<10_000).map { Author(name: "author \($0)", born: Int32($0)) }
            try await database.insert(&authors)
            let loaded = try await database.all(Author.self, "ORDER BY id")
            #expect(loaded == authors)

            var twins = [Author(name: "new")] + (0..<2_000).map { Author(name: "other \($0)") } + [Author(name: "new")]
            let copy = twins
            let error = try await databaseError { try await database.insert(&twins) }
            #expect(error?.code == .uniqueViolation)
            #expect(twins == copy, "rows that were rolled back have no keys")
            #expect(try await database.count(Author.self) == 10_000)
        }
    }

    @Test("The methods first and count accept conditions")
    func firstAndCountTakeConditions() async throws {
        try await withDatabase { database in
            try await database.migrate([Author.migration])
            var authors = [Author(name: "a", born: 1), Author(name: "b", born: 2), Author(name: "c", born: 3)]
            try await database.insert(&authors)
            #expect(try await database.first(Author.self, "WHERE born > \(1) ORDER BY born")?.name == "b")
            #expect(try await database.first(Author.self, "WHERE born > \(9)") == nil)
            #expect(try await database.count(Author.self, "WHERE born >= \(2)") == 2)
        }
    }

    @Test("Verifying a model reports all columns that do not match in one error")
    func aModelThatDoesNotFitIsToldAllAtOnce() async throws {
        struct Wrong: Model {
            static let table = "authors"
            static let columns = [
                ModelColumn("id", \Wrong.id), ModelColumn("name", \Wrong.name), ModelColumn("born", \Wrong.born),
                ModelColumn("died", \Wrong.died),
            ]
            var id: Int64?
            var name: Int64
            var born: Int32
            var died: Int32?
            init(row: inout RowDecoder) throws {
                (id, name, born, died) = (try row.next(), try row.next(), try row.next(), try row.next())
            }
            func encode(into row: inout RowEncoder) throws {}
        }
        try await withDatabase { database in
            try await database.migrate([Author.migration])
            try await database.verify(Author.self)
            let error = try await databaseError { try await database.verify(Wrong.self) }
            let message = try #require(error?.message)
            #expect(error?.code == .missingColumn)
            for name in ["\"name\"", "\"born\"", "\"died\""] { #expect(message.contains(name)) }
        }
    }
}
