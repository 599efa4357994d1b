import NIOCore
import PostgresModels
import StoredFilesTesting
import Testing

/// Short ways to the shared server for the tests of connections and pools.
enum TestServer {
    static func url() async throws -> String {
        try await TemporaryPostgres.shared().url
    }

    static func connect(_ configuration: DatabaseConfiguration = configuration()) async throws -> PostgresConnection {
        try await PostgresConnection.connect(url(), configuration: configuration)
    }

    static func pool(_ configuration: DatabaseConfiguration = configuration()) async throws -> ConnectionPool {
        try await ConnectionPool(url(), configuration: configuration)
    }

    static func configuration(poolSize: Int = 4, acquireTimeout: Duration = .seconds(20)) -> DatabaseConfiguration {
        var configuration = DatabaseConfiguration(poolSize: poolSize, acquireTimeout: acquireTimeout)
        // On a busy machine a cancelled statement may take long to stop.
        configuration.cancellationGracePeriod = .seconds(30)
        return configuration
    }
}

extension QueryParameters {
    mutating func bind(_ value: Int64) throws {
        try append(oid: 20) { $0.writeInteger(value) }
    }

    mutating func bind(_ value: String) throws {
        try append(oid: 25) { $0.writeString(value) }
    }

    mutating func bind(_ value: [UInt8]) throws {
        try append(oid: 17) { $0.writeBytes(value) }
    }

    static func of(_ value: Int64) throws -> QueryParameters {
        var parameters = QueryParameters()
        try parameters.bind(value)
        return parameters
    }
}

extension QueryResult {
    func int(_ row: Int = 0, _ column: Int = 0) -> Int64? {
        withExtendedLifetime(self) {
            guard let bytes = cell(row: row, column: column), bytes.count <= 8, !bytes.isEmpty else { return nil }
            return bytes.reduce(Int64(bytes[0] & 0x80 == 0 ? 0 : -1)) { $0 << 8 | Int64($1) }
        }
    }

    func string(_ row: Int = 0, _ column: Int = 0) -> String? {
        withExtendedLifetime(self) { cell(row: row, column: column).map { String(decoding: $0, as: UTF8.self) } }
    }
}
