import Logging

/// One session with the server. One command at a time; a second one gets `.commandInProgress`.
package final class PostgresConnection: Sendable {
    package enum TransactionStatus: Sendable { case idle, active, inTransaction, inFailedTransaction, unknown }

    package let backendPID: Int32 = 0
    package var isUsable: Bool { false }
    package var transactionStatus: TransactionStatus { .unknown }
    package func parameterStatus(_ name: String) -> String? { nil }
    package func close() {}
    @discardableResult
    package func query(_ sql: String, _ parameters: QueryParameters = .init(), cache: Bool = true) async throws
        -> QueryResult
    {
        throw DatabaseError(code: .closed, message: "not yet")
    }
    @discardableResult
    package func simpleQuery(_ sql: String, cancellable: Bool = true) async throws -> QueryResult {
        throw DatabaseError(code: .closed, message: "not yet")
    }
}
