import Foundation
import StoredFilesTesting
import Testing

@testable import PostgresModels

@Suite("The table of PostgreSQL's types")
struct DatabaseTypeTests {
    @Test("Each row names the type that the server has under this identifier, and its array")
    func rowsAreThoseOfTheServer() async throws {
        try await withDatabase { database in
            for row in DatabaseType.builtIn {
                let found = try await database.query(
                    """
                    SELECT typarray, format_type(oid, NULL) AS formatted, to_regtype(\(row.name)) = oid AS is_named, \
                    format_type(to_regtype(\(row.name)), NULL) AS named, \
                    COALESCE(to_regtype(\(row.name + "[]")) = typarray, true) AS is_array_named \
                    FROM pg_type WHERE oid = \(row.type.oid)
                    """
                )
                let server = try #require(found.first, "The server has no type \(row.type.oid) (\(row.name))")
                #expect(try server.decode(UInt32.self, named: "typarray") == row.array?.oid ?? 0, "\(row.name)")
                #expect(try server.decode(Bool.self, named: "is_named"), "\(row.name)")
                #expect(try server.decode(Bool.self, named: "is_array_named"), "\(row.name)[]")
                let formatted = try server.decode(String.self, named: "formatted")
                #expect(try server.decode(String.self, named: "named") == formatted)
            }
        }
    }

    @Test("The server converts the values of a type to each type of column that fits it")
    func fittingTypesHaveAssignmentCasts() async throws {
        try await withDatabase { database in
            for row in DatabaseType.builtIn {
                for column in row.fittingColumns ?? [] where column != row.type {
                    let casts = try await database.query(
                        """
                        SELECT 1 FROM pg_cast WHERE castsource = \(row.type.oid) AND casttarget = \(column.oid) \
                        AND castcontext IN ('a', 'i')
                        """
                    )
                    #expect(casts.count == 1, "\(row.name) in a column of the type \(column.name)")
                }
            }
        }
    }

    @Test("No type, array or name stands in two rows")
    func rowsAreDistinct() {
        let rows = DatabaseType.builtIn
        #expect(Set(rows.map(\.type) + rows.compactMap(\.array)).count == 2 * rows.count - 1)
        #expect(Set(rows.map(\.name)).count == rows.count)
    }

    @Test("Every type that a value of the library is bound as has a row, an array, and columns that it fits")
    func valuesHaveRows() {
        let values: [any DatabaseEncodable.Type] = [
            Bool.self, Int16.self, Int32.self, Int64.self, Int.self, UInt32.self, Float.self, Double.self, Decimal.self,
            String.self, UUID.self, Date.self, Data.self, JSON<[Int]>.self,
        ]
        for value in values {
            let type = value.databaseType
            #expect(type.fittingColumns?.contains(type) == true, "\(value)")
            #expect(type.array != nil, "\(value)")
            #expect(type.array?.array == nil, "\(value)")
        }
    }

    @Test("An array has the name of its elements' type, and fits the arrays of what they fit")
    func arraysFollowFromTheirElements() throws {
        #expect([Int64].databaseType.name == "bigint[]")
        let columns = try #require([Double].databaseType.fittingColumns)
        #expect(columns.map(\.name) == ["double precision[]", "real[]"])
        #expect(ColumnType([String].databaseType).sql == "text[]")
        #expect(DatabaseType(named: "timestamptz[]") == DatabaseType.timestamptz.array)
    }

    @Test("A type that the library does not know has a number in messages, no array, and fits what the server takes")
    func unknownTypes() {
        let type = DatabaseType(oid: 70_000)
        #expect(type.name == "with oid 70000")
        #expect(type.array == nil)
        #expect(type.fittingColumns == nil)
    }
}
