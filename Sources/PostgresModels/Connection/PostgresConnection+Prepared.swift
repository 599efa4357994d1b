internal import CLibPQ
import Logging
import NIOConcurrencyHelpers
import Synchronization

/// Statements that are prepared once and then run by name.
extension PostgresConnection {
    func runPrepared(
        _ sql: String,
        _ parameters: QueryParameters,
        operation: UInt64
    ) async throws -> QueryResult {
        let key = StatementKey(sql: sql, oids: parameters.oids)
        // Behind a pooler the session may change between two commands, and what was prepared be gone at once.
        for _ in 1...3 {
            do {
                if let result = try await execute(key, parameters, operation: operation) { return result }
                try await prepare(key, operation: operation)
                if let result = try await execute(key, parameters, operation: operation) { return result }
            } catch let error as DatabaseError where error.code == .staleStatement {
                if error.sqlState != SQLState.featureNotSupported { countMissedStatement() }
                if error.sqlState != SQLState.duplicatePreparedStatement {
                    let isOnServer = error.sqlState != SQLState.undefinedPreparedStatement
                    state.withLockedValue { $0.statements.forget(key, isOnServer: isOnServer) }
                }
                // Inside a transaction the transaction is lost, and the caller that began it has to run it again.
                guard isUsable, transactionStatus == .idle else { throw error }
            }
        }
        return try await runUnprepared(sql, parameters, operation: operation)
    }

    /// A Boolean value that indicates whether prepared statements are still there later.
    ///
    /// A pooler in transaction mode that does not follow prepared statements has taken three, so it would go on to take
    /// them, and leave others behind in sessions that this program cannot name.
    var keepsStatements: Bool {
        missedStatements.load(ordering: .relaxed) < 3
    }

    private func countMissedStatement() {
        guard missedStatements.wrappingAdd(1, ordering: .relaxed).oldValue == 0 else { return }
        configuration.logger.warning(
            """
            A prepared statement is not in the session in which it was prepared. Behind a pooler in transaction mode \
            \(SQLState.remedyForVanished)
            """,
            metadata: ["server": "\(target.label)"]
        )
    }

    /// Runs a statement that is prepared already; nil when it is not.
    private func execute(
        _ key: StatementKey,
        _ parameters: QueryParameters,
        operation: UInt64
    ) async throws -> QueryResult? {
        try await command(operation, cancellable: true) { state, connection in
            guard let name = state.statements.use(key) else { return .notPrepared }
            return Self.withArrays(of: parameters) { count, values, lengths, formats in
                Sent(PQsendQueryPrepared(connection, name, count, values, lengths, formats, 1))
            }
        }
    }

    private func prepare(_ key: StatementKey, operation: UInt64) async throws {
        try Self.refuseNUL(in: key.sql)
        let isIdle = transactionStatus == .idle
        let obsolete = state.withLockedValue { state in
            state.statements.makeRoom()
            return Array(state.statements.obsolete)
        }
        // A failing DEALLOCATE would abort a transaction; outside of one it is only an error to ignore.
        if isIdle, !obsolete.isEmpty { try await deallocate(obsolete, operation: operation) }
        let (name, sql) = state.withLockedValue { $0.statements.form(of: key) }
        do {
            _ = try await command(operation, cancellable: true) { _, connection in
                Sent(PQsendPrepare(connection, name, sql, Int32(key.oids.count), key.oids))
            }
        } catch let error as DatabaseError where error.sqlState == SQLState.duplicatePreparedStatement {
            // The name is made of the content: behind a pooler somebody else has prepared the same statement.
            state.withLockedValue { $0.statements.insert(key, name: name) }
            guard isIdle else { throw error }
            return
        }
        state.withLockedValue { $0.statements.insert(key, name: name) }
    }

    private func deallocate(_ names: [String], operation: UInt64) async throws {
        do {
            try await sendDeallocate(names, operation: operation)
        } catch let error as DatabaseError where error.sqlState == SQLState.undefinedPreparedStatement {
            // A pooler was faster. The server stopped at the first that it does not know, so each goes by itself.
            for name in names {
                do {
                    try await sendDeallocate([name], operation: operation)
                } catch let error as DatabaseError where error.sqlState == SQLState.undefinedPreparedStatement {
                    state.withLockedValue { $0.statements.deallocated([name]) }
                }
            }
        }
    }

    private func sendDeallocate(_ names: [String], operation: UInt64) async throws {
        let sql = names.map { "DEALLOCATE \($0)" }.joined(separator: ";")
        _ = try await command(operation, cancellable: false) { _, connection in Sent(PQsendQuery(connection, sql)) }
        state.withLockedValue { $0.statements.deallocated(names) }
    }
}
