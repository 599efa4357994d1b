import Foundation
import NIOCore
import PostgresModels
import StoredFilesTesting
import TestSupport
import Testing

@Suite("Round trips of values")
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

    @Test("Integers of all widths make a round trip through the server")
    func wholeNumbersOfAllWidths() async throws {
        try await verify([Int16.min, -1, 0, 1, .max])
        try await verify([Int32.min, -1, 0, 1, .max])
        try await verify([Int64.min, -1, 0, 1, .max])
        try await verify([Int.min, -1, 0, 1, .max])
        try await verify([UInt32.min, 1, .max])
    }

    @Test("Floating-point numbers and booleans make a round trip through the server")
    func fractionsAndTruth() async throws {
        try await verify([0.0, -0.5, .greatestFiniteMagnitude, .leastNonzeroMagnitude, .infinity])
        try await verify([Float(0), -0.5, .greatestFiniteMagnitude])
        try await verify([true, false])
    }

    @Test("Text of all kinds makes a round trip through the server")
    func textOfAllKinds() async throws {
        try await verify([
            "", "a", "it's", "\"quoted\"", "日本語", "🙈", "e\u{301}", "a\\b", "$1", String(repeating: "x", count: 100_000),
        ])
    }

    @Test("Text is sent to the server without normalization")
    func textIsComparedByItsBytesAndNotNormalised() async throws {
        try await withDatabase { database in
            let text = "e\u{301}"
            let bytes = try #require(await database.query("SELECT octet_length(\(text)) AS n").first)
            #expect(try bytes.decode(Int.self, named: "n") == 3)
        }
    }

    @Test("Bytes, UUIDs and dates make a round trip through the server")
    func bytesIdentifiersAndDates() async throws {
        try await verify([[UInt8](), [0, 255, 7]])
        try await verify([Data(), Data([0, 1, 2])])
        try await verify([ByteBuffer(), ByteBuffer(bytes: [0, 1])])
        try await verify([UUID(), UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))])
        try await verify([
            Date(timeIntervalSince1970: 0), Date(timeIntervalSince1970: 946_684_799), Date(timeIntervalSince1970: -1e9),
            .distantPast, .distantFuture,
        ])
    }

    @Test("Arrays and JSON documents make a round trip through the server")
    func arraysAndDocuments() async throws {
        try await verify([[Int64](), [1, 2, .max]])
        try await verify([["a", "", "it's"], []])
        try await verify([[true, false]])
        try await verify([JSON(["a": [1, 2]]), JSON([:])])
    }

    @Test("Arrays of all element types make a round trip through the server")
    func arraysOfAllElements() async throws {
        try await verify([[UUID(), UUID()], []])
        try await verify([[Date(timeIntervalSince1970: 0), .distantFuture]])
        try await verify([[Float(0.5), -1]])
        try await verify([[Data(), Data([0, 255])]])
        try await verify([[Int16(1)], []])
        try await verify([[Int32(1), .min]])
        try await verify([[0.5, .infinity]])
        try await verify([[Decimal(1) / 3, 0]])
    }

    @Test(
        "Decimals of up to 38 digits keep all of them",
        arguments: [
            "0", "1", "-1", "10000", "9999", "0.0001", "-0.00001", "12345.6789", "1e20",
            "100000000000000000000000000000.5",
            "12345678901234567890123456789012345678", "0.12345678901234567890123456789012345678", "-99999999.99999999",
            "1e127",
            "1e-127", "3.14159265358979323846264338327950288",
        ]
    )
    func decimalsKeepAllDigits(_ text: String) async throws {
        try await withDatabase { database in
            let row = try #require(
                await database.query("SELECT \(text)::text::numeric AS d, (\(text)::text::numeric * 1.00) AS padded")
                    .first
            )
            let value = try row.decode(Decimal.self, named: "d")
            #expect(value == Decimal(string: text))
            #expect(try row.decode(Decimal.self, named: "padded") == value)
            let same = try #require(await database.query("SELECT \(value) = \(text)::text::numeric AS same").first)
            #expect(try same.decode(Bool.self, named: "same"))
        }
    }

    @Test(
        "A numeric that does not fit a Decimal is an error, and NaN is kept",
        arguments: ["123456789012345678901234567890123456789", "1e140", "1e200", "1e-200", "Infinity", "-Infinity"]
    )
    func decimalsThatDoNotFitAreRefused(_ text: String) async throws {
        try await withDatabase { database in
            let row = try #require(await database.query("SELECT \(text)::text::numeric AS d").first)
            let error = try await databaseError { _ = try row.decode(Decimal.self, named: "d") }
            #expect(error?.code == .decodingFailed)
            let nothing = try #require(await database.query("SELECT 'NaN'::numeric, \(Decimal.nan) = 'NaN'").first)
            #expect(try nothing.decode(Decimal.self, at: 0).isNaN)
            #expect(try nothing.decode(Bool.self, at: 1))
        }
    }

    @Test(
        "A column whose type is not text is not decoded as a String",
        arguments: [
            "1", "1.5", "true", "now()", "now()::date", "'1 day'::interval", "'\\x00'::bytea", "gen_random_uuid()",
            "'{}'::jsonb",
            "'10.0.0.1'::inet", "'10.0.0.0/8'::cidr", "1::money", "'08:00:2b:01:02:03'::macaddr", "B'101'",
            "'[1,2)'::int4range",
            "to_tsvector('a b')", "ARRAY['a']", "point(1, 2)", "ROW(1, 'a')", "1::oid", "'pg_class'::regclass",
            "'a.b'::jsonpath",
            "'(1,2)'::pair", "ARRAY['good'::mood]", "'12:00'::time",
        ]
    )
    func whatIsNoTextIsNotReadAsText(_ expression: String) async throws {
        try await withDatabase { database in
            try await database.execute("CREATE TYPE mood AS ENUM ('good', 'bad')")
            try await database.execute("CREATE TYPE pair AS (a int, b int)")
            let sql = expression == "'a.b'::jsonpath" ? "'$.a'::jsonpath" : expression
            let row = try #require(await database.query("SELECT \(raw: sql) AS value").first)
            let error = try await databaseError { _ = try row.decode(String.self, named: "value") }
            #expect(error?.code == .typeMismatch)
            #expect(error?.column == "value")
        }
    }

    @Test(
        "A column that is not an array is not decoded as an empty array",
        arguments: [
            "'00000000-0000-0000-0000-000000000000'::uuid", "point(0, 0)", "'0'::interval",
            "'\\x000000000000000000000000'::bytea",
        ]
    )
    func whatIsNoArrayIsNotReadAsAnEmptyOne(_ expression: String) async throws {
        try await withDatabase { database in
            let row = try #require(await database.query("SELECT \(raw: expression)").first)
            let error = try await databaseError { _ = try row.decode([Int32].self, at: 0) }
            #expect(error?.code == .typeMismatch)
        }
    }

    @Test(
        "A date outside the range of PostgreSQL is refused",
        arguments: [-210_866_803_200.0 - 86_400 * 40, 9_224_318_016_000.0, 1e300]
    )
    func datesThatPostgreSQLDoesNotHaveAreRefused(_ seconds: Double) async throws {
        try await withDatabase { database in
            let date = Date(timeIntervalSince1970: seconds)
            let error = try await databaseError { _ = try await database.query("SELECT \(date)") }
            #expect(error?.code == .invalidArgument)
        }
    }

    @Test("Columns of text, JSON, XML, enum and unknown type are decoded as a String")
    func whatIsTextIsReadAsText() async throws {
        try await withDatabase { database in
            try await database.execute("CREATE TYPE mood AS ENUM ('good', 'schlecht ü')")
            try await database.execute("CREATE DOMAIN feeling AS mood")
            for (sql, text) in [
                ("'a'::text", "a"), ("'a'::varchar", "a"), ("'a'::char(3)", "a  "), ("'a'::name", "a"),
                ("'x'::\"char\"", "x"),
                ("'{\"a\":1}'::json", "{\"a\":1}"), ("'<a/>'::xml", "<a/>"), ("'good'::mood", "good"),
                ("'schlecht ü'::feeling", "schlecht ü"), ("NULLIF('a', 'b')", "a"),
            ] {
                let row = try #require(await database.query("SELECT \(raw: sql)").first)
                #expect(try row.decode(String.self, at: 0) == text)
            }
            let moods = try #require(await database.query("SELECT ARRAY['good'::mood, 'schlecht ü']").first)
            #expect(try moods.decode([String].self, at: 0) == ["good", "schlecht ü"])
        }
    }

    @Test("Dates in timestamp columns do not depend on the time zone of the server")
    func dateIsTheSameInATimestampWhateverTheZoneOfTheServer() async throws {
        let url = try await TemporaryPostgres.shared().makeDatabase(named: "far_east")
        let setUp = try await Database.connect(url)
        try await setUp.execute("ALTER DATABASE far_east SET TimeZone = 'Pacific/Kiritimati'")
        try await setUp.execute("CREATE TABLE t (moment timestamp, day date)")
        await setUp.close()
        let database = try await Database.connect(url)
        let moment = Date(timeIntervalSince1970: 86_400 * 365.5)
        try await database.execute("INSERT INTO t VALUES (\(moment), \(moment))")
        let row = try #require(await database.query("SELECT moment, day, current_setting('TimeZone') FROM t").first)
        #expect(try row.decode(Date.self, at: 0) == moment)
        #expect(try row.decode(Date.self, at: 1) == Date(timeIntervalSince1970: 86_400 * 365))
        #expect(try row.decode(String.self, at: 2) == "UTC")
        await database.close()

        var configuration = DatabaseConfiguration()
        configuration.timeZone = nil
        configuration.sessionSettings = ["search_path": "a, \"b'\\\", public", "application_name": "it's"]
        let local = try await Database.connect(url, configuration: configuration)
        let settings = try #require(
            await local.query(
                """
                SELECT current_setting('TimeZone'), current_setting('search_path'), current_setting('application_name') FROM t
                """
            ).first
        )
        #expect(try settings.decode(String.self, at: 0) == "Pacific/Kiritimati")
        #expect(try settings.decode(String.self, at: 1) == "a, \"b'\\\", public")
        #expect(try settings.decode(String.self, at: 2) == "it's")
        await local.close()
    }

    @Test("Column names are compared by their bytes, and the first of two equal names is read")
    func namesOfColumnsAreComparedByTheirBytes() async throws {
        try await withDatabase { database in
            let row = try #require(
                await database.query(
                    "SELECT 1 AS \(identifier: "\u{E9}"), 2 AS \(identifier: "e\u{301}"), 3 AS a, 4 AS a"
                ).first
            )
            #expect(try row.decode(Int.self, named: "\u{E9}") == 1)
            #expect(try row.decode(Int.self, named: "e\u{301}") == 2)
            #expect(try row.decode(Int.self, named: "a") == 3)
        }
    }

    @Test("An array is bound as one parameter of ANY")
    func aListIsBoundForAny() async throws {
        try await withDatabase { database in
            let wanted: [Int64] = [2, 4, 9]
            let rows = try await database.query(
                "SELECT n FROM generate_series(1, 5) AS n WHERE n = ANY(\(wanted)) ORDER BY n"
            )
            #expect(try rows.map { try $0.decode(Int.self, named: "n") } == [2, 4])
        }
    }

    @Test(
        "Extreme and infinite timestamps make a round trip as dates",
        arguments: ["infinity", "-infinity", "294276-12-31", "4713-01-01 BC"]
    )
    func extremeDatesDoNotTrap(_ text: String) async throws {
        try await withDatabase { database in
            let row = try #require(await database.query("SELECT \(text)::text::timestamptz AS d").first)
            let date = try row.decode(Date.self, named: "d")
            let same = try #require(await database.query("SELECT \(date) = \(text)::text::timestamptz AS same").first)
            #expect(try same.decode(Bool.self, named: "same"))
        }
    }

    @Test("A number too large for its type is an error that names the column")
    func aNumberThatDoesNotFitIsAnErrorThatNamesTheColumn() async throws {
        try await withDatabase { database in
            let row = try #require(await database.query("SELECT 70000 AS big").first)
            let error = try await databaseError { _ = try row.decode(Int16.self, named: "big") }
            #expect(error?.code == .decodingFailed)
            #expect(error?.column == "big")
        }
    }

    @Test("Decoding text as an integer is an error that names the column")
    func aWrongTypeIsAnErrorThatNamesTheColumn() async throws {
        try await withDatabase { database in
            let row = try #require(await database.query("SELECT 'x'::text AS word").first)
            let error = try await databaseError { _ = try row.decode(Int.self, named: "word") }
            #expect(error?.code == .typeMismatch)
            #expect(error?.column == "word")
        }
    }

    @Test("Decoding a column that does not exist is an error that lists the existing columns")
    func aColumnThatIsNotThereListsThoseThatAre() async throws {
        try await withDatabase { database in
            let row = try #require(await database.query("SELECT 1 AS a, 2 AS b").first)
            let error = try await databaseError { _ = try row.decode(Int.self, named: "c") }
            #expect(error?.code == .missingColumn)
            #expect(error?.message.contains("\"a\", \"b\"") == true)
        }
    }

    @Test("Text with a NUL is refused, and the error does not show it")
    func aNulInTextIsRefusedAndTheValueNotPrinted() async throws {
        try await withDatabase { database in
            let secret = "se\u{0}cret"
            let error = try await databaseError { try await database.execute("SELECT \(secret)") }
            #expect(error?.code == .invalidArgument)
            #expect(error.map { "\($0)" }?.contains("cret") == false)
        }
    }
}
