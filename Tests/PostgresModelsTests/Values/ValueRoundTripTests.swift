import Foundation
import NIOCore
import PostgresModels
import StoredFilesTesting
import Testing

@Suite("Values through the server and back")
struct ValueRoundTripTests {
    private func verify<Value: DatabaseValue & Equatable>(_ values: [Value]) async throws {
        try await withDatabase { database in
            for value in values {
                let rows = try await database.query("SELECT \(value) AS value, \(Value?.none) AS missing")
                let row = try #require(rows.first)
                #expect(try row.decode(Value.self, named: "value") == value)
                #expect(try row.decode(Value?.self, named: "value") == value)
                #expect(try row.decode(Value?.self, named: "missing") == nil)
                #expect(throws: DatabaseError.self) { try row.decode(Value.self, named: "missing") }
            }
        }
    }

    @Test func wholeNumbersOfAllWidths() async throws {
        try await verify([Int16.min, -1, 0, 1, .max])
        try await verify([Int32.min, -1, 0, 1, .max])
        try await verify([Int64.min, -1, 0, 1, .max])
        try await verify([Int.min, -1, 0, 1, .max])
        try await verify([UInt32.min, 1, .max])
    }

    @Test func fractionsAndTruth() async throws {
        try await verify([0.0, -0.5, .greatestFiniteMagnitude, .leastNonzeroMagnitude, .infinity])
        try await verify([Float(0), -0.5, .greatestFiniteMagnitude])
        try await verify([true, false])
    }

    @Test func textOfAllKinds() async throws {
        try await verify([
            "", "a", "it's", "\"quoted\"", "日本語", "🙈", "e\u{301}", "a\\b", "$1", String(repeating: "x", count: 100_000),
        ])
    }

    @Test func textIsComparedByItsBytesAndNotNormalised() async throws {
        try await withDatabase { database in
            let text = "e\u{301}"
            let bytes = try #require(await database.query("SELECT octet_length(\(text)) AS n").first)
            #expect(try bytes.decode(Int.self, named: "n") == 3)
        }
    }

    @Test func bytesIdentifiersAndDates() async throws {
        try await verify([[UInt8](), [0, 255, 7]])
        try await verify([Data(), Data([0, 1, 2])])
        try await verify([ByteBuffer(), ByteBuffer(bytes: [0, 1])])
        try await verify([UUID(), UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))])
        try await verify([
            Date(timeIntervalSince1970: 0), Date(timeIntervalSince1970: 946_684_799), Date(timeIntervalSince1970: -1e9),
            .distantPast, .distantFuture,
        ])
    }

    @Test func arraysAndDocuments() async throws {
        try await verify([[Int64](), [1, 2, .max]])
        try await verify([["a", "", "it's"], []])
        try await verify([[true, false]])
        try await verify([JSON(["a": [1, 2]]), JSON([:])])
    }

    @Test func aListIsBoundForAny() async throws {
        try await withDatabase { database in
            let wanted: [Int64] = [2, 4, 9]
            let rows = try await database.query(
                "SELECT n FROM generate_series(1, 5) AS n WHERE n = ANY(\(wanted)) ORDER BY n"
            )
            #expect(try rows.map { try $0.decode(Int.self, named: "n") } == [2, 4])
        }
    }

    @Test(arguments: ["infinity", "-infinity", "294276-12-31", "4713-01-01 BC"])
    func extremeDatesDoNotTrap(_ text: String) async throws {
        try await withDatabase { database in
            let row = try #require(await database.query("SELECT \(text)::text::timestamptz AS d").first)
            let date = try row.decode(Date.self, named: "d")
            let same = try #require(await database.query("SELECT \(date) = \(text)::text::timestamptz AS same").first)
            #expect(try same.decode(Bool.self, named: "same"))
        }
    }

    @Test func aNumberThatDoesNotFitIsAnErrorThatNamesTheColumn() async throws {
        try await withDatabase { database in
            let row = try #require(await database.query("SELECT 70000 AS big").first)
            let error = await databaseFailure { _ = try row.decode(Int16.self, named: "big") }
            #expect(error?.code == .decodingFailed)
            #expect(error?.column == "big")
        }
    }

    @Test func aWrongTypeIsAnErrorThatNamesTheColumn() async throws {
        try await withDatabase { database in
            let row = try #require(await database.query("SELECT 'x'::text AS word").first)
            let error = await databaseFailure { _ = try row.decode(Int.self, named: "word") }
            #expect(error?.code == .typeMismatch)
            #expect(error?.column == "word")
        }
    }

    @Test func aColumnThatIsNotThereListsThoseThatAre() async throws {
        try await withDatabase { database in
            let row = try #require(await database.query("SELECT 1 AS a, 2 AS b").first)
            let error = await databaseFailure { _ = try row.decode(Int.self, named: "c") }
            #expect(error?.code == .missingColumn)
            #expect(error?.message.contains("\"a\", \"b\"") == true)
        }
    }

    @Test func aNulInTextIsRefusedAndTheValueNotPrinted() async throws {
        try await withDatabase { database in
            let secret = "se\u{0}cret"
            let error = await databaseFailure { try await database.execute("SELECT \(secret)") }
            #expect(error?.code == .invalidArgument)
            #expect(error.map { "\($0)" }?.contains("cret") == false)
        }
    }
}
