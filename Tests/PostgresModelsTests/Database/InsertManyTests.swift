import Foundation
import StoredFilesTesting
import Testing

@testable import PostgresModels

@Suite("Inserts of many rows")
struct InsertManyTests {
    struct Everything: Model, Equatable {
        static let table = "everything"
        static let columns = [
            ModelColumn("id", \Everything.id), ModelColumn("text", \Everything.text),
            ModelColumn("bytes", \Everything.bytes),
            ModelColumn("moment", \Everything.moment), ModelColumn("price", \Everything.price),
            ModelColumn("document", \Everything.document), ModelColumn("flag", \Everything.flag),
        ]
        var id: UUID?
        var text: String?
        var bytes: Data
        var moment: Date?
        var price: Decimal?
        var document: JSON<[Int]>?
        var flag: Bool

        init(_ number: Int) {
            text = number.isMultiple(of: 3) ? nil : (number.isMultiple(of: 2) ? "" : "text {\(number),\"NULL\"}")
            bytes = Data(repeating: UInt8(truncatingIfNeeded: number), count: number % 5)
            moment = number.isMultiple(of: 4) ? nil : Date(timeIntervalSince1970: Double(number))
            price = number.isMultiple(of: 5) ? nil : Decimal(number) / 100
            document = number.isMultiple(of: 7) ? nil : JSON([number])
            flag = number.isMultiple(of: 2)
        }

        init(row: inout RowDecoder) throws {
            id = try row.next()
            text = try row.next()
            bytes = try row.next()
            moment = try row.next()
            price = try row.next()
            document = try row.next()
            flag = try row.next()
        }

        func encode(into row: inout RowEncoder) throws {
            try row.encode(id)
            try row.encode(text)
            try row.encode(bytes)
            try row.encode(moment)
            try row.encode(price)
            try row.encode(document)
            try row.encode(flag)
        }

        static let migration = Migration("everything") { schema in
            try await schema.create(table: "everything") { table in
                table.uuidIdentity()
                table.column("text", .text, optional: true)
                table.column("bytes", .bytea)
                table.column("moment", .timestamptz, optional: true)
                table.column("price", .numeric, optional: true)
                table.column("document", .jsonb, optional: true)
                table.column("flag", .boolean)
            }
        }
    }

    /// A column that is an array, of which there are no arrays.
    struct Tagged: Model, Equatable {
        static let table = "tagged"
        static let columns = [ModelColumn("id", \Tagged.id), ModelColumn("tags", \Tagged.tags)]
        var id: Int64?
        var tags: [String]
        init(_ tags: [String]) { self.tags = tags }
        init(row: inout RowDecoder) throws { (id, tags) = (try row.next(), try row.next()) }
        func encode(into row: inout RowEncoder) throws {
            try row.encode(id)
            try row.encode(tags)
        }
    }

    /// Nothing but a key.
    struct Ticket: Model, Equatable {
        static let table = "tickets"
        static let columns = [ModelColumn("id", \Ticket.id)]
        var id: Int64?
        init() {}
        init(row: inout RowDecoder) throws { id = try row.next() }
        func encode(into row: inout RowEncoder) throws { try row.encode(id) }
    }

    @Test(
        "An insert of many rows keeps values, NULLs and the order for all types",
        arguments: [0, 1, 2, 99, 1000, 1001, 2500]
    )
    func valuesAndNullsOfAllTypesArriveInOrder(_ count: Int) async throws {
        try await withDatabase { database in
            try await database.migrate([Everything.migration])
            var rows = (0..<count).map { Everything($0) }
            try await database.insert(&rows)
            #expect(Set(rows.compactMap(\.id)).count == count)
            for row in rows.prefix(3) + rows.suffix(3) {
                #expect(try await database.find(Everything.self, #require(row.id)) == row)
            }
            // The heap has an order of its own.
            let all = try await database.all(Everything.self)
            let byKey = Dictionary(uniqueKeysWithValues: all.map { ($0.id, $0) })
            let isEqual = all.count == count && rows.allSatisfy { byKey[$0.id] == $0 }
            #expect(isEqual)
        }
    }

    @Test("An insert of many rows keeps the keys that the rows already have")
    func keysThatAreGivenAreKept() async throws {
        try await withDatabase { database in
            try await database.migrate([Author.migration])
            var authors = (1...5).map { number in
                var author = Author(name: "author \(number)")
                author.id = Int64(number * 10)
                return author
            }
            try await database.insert(&authors)
            #expect(try await database.all(Author.self, "ORDER BY id") == authors)
        }
    }

    @Test("Inserts of different numbers of rows use the same prepared statement")
    func anyNumberOfRowsIsOnePreparedStatement() async throws {
        try await withDatabase(poolSize: 1) { database in
            try await database.migrate([Author.migration])
            for count in 2..<20 {
                var authors = (0..<count).map { Author(name: "author \(count) \($0)") }
                try await database.insert(&authors)
            }
            let rows = try await database.query(
                "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'INSERT %'"
            )
            #expect(try rows.first?.decode(Int.self, at: 0) == 1)
        }
    }

    @Test("An insert of large rows is split into several statements")
    func largeRowsAreSentInSeveralStatementsAllOrNone() async throws {
        try await withDatabase(poolSize: 1) { database in
            try await database.migrate([Everything.migration])
            var rows = (0..<40).map { Everything($0) }
            for index in rows.indices { rows[index].bytes = Data(repeating: UInt8(index), count: 1 << 20) }
            let before = database.statistics.statements
            try await database.insert(&rows)
            let statements = database.statistics.statements - before
            #expect((4...8).contains(statements))
            #expect(try await database.count(Everything.self) == 40)
        }
    }

    @Test("Many rows are inserted for models with array columns, and for models that have only a key")
    func modelsWithoutArraysOrWithNothingButAKeyGoTheOtherWay() async throws {
        try await withDatabase(poolSize: 1) { database in
            try await database.execute(
                "CREATE TABLE tagged (id bigint GENERATED ALWAYS AS IDENTITY, tags text[] NOT NULL)"
            )
            try await database.execute("CREATE TABLE tickets (id bigint GENERATED BY DEFAULT AS IDENTITY)")
            var tagged = (0..<50).map { Tagged((0..<$0 % 4).map { "tag \($0)" }) }
            try await database.insert(&tagged)
            #expect(try await database.all(Tagged.self, "ORDER BY id") == tagged)
            var tickets = [Ticket(), Ticket(), Ticket()]
            try await database.insert(&tickets)
            #expect(tickets.map(\.id) == [1, 2, 3])
            let rows = try await database.query(
                "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'INSERT %'"
            )
            #expect(try rows.first?.decode(Int.self, at: 0) == 0)
        }
    }

    @Test("Updates of different properties of one model do not mix up their statements")
    func updatesOfSomePropertiesDoNotMixTheirStatementsUp() async throws {
        try await withDatabase { database in
            try await database.migrate([Author.migration])
            var author = Author(name: "Ada", born: 1)
            try await database.insert(&author)
            let id = try #require(author.id)
            for round in 1...3 {
                author.name = "name \(round)"
                author.born = Int32(round)
                try await database.update(author, only: [\.born])
                #expect(try await database.find(Author.self, id)?.name == (round == 1 ? "Ada" : "name \(round - 1)"))
                try await database.update(author, only: [\.name])
                try await database.update(author, only: [\.name, \.born])
                #expect(try await database.find(Author.self, id) == author)
            }
        }
    }
}
