/// Connections kept open and lent one task at a time.
package final class ConnectionPool: Sendable {
    package struct Statistics: Sendable { package var open, idle, waiting, created, evicted: Int }
    package init(_ conninfo: String, configuration: DatabaseConfiguration) throws {}
    package func acquire() async throws -> PostgresConnection { throw DatabaseError(code: .closed, message: "not yet") }
    package func release(_ connection: PostgresConnection) async {}
    package func withConnection<R>(_ body: (PostgresConnection) async throws -> R) async throws -> R {
        let connection = try await acquire()
        return try await body(connection)
    }
    package func close() async {}
    package var statistics: Statistics { .init(open: 0, idle: 0, waiting: 0, created: 0, evicted: 0) }
}
