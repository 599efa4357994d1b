import PostgresModels

/// The code of the article "Connecting", word for word.
enum ConnectingGuide {
    func run(at address: String) async throws {
        let database = try await Database.connect(address)
        do {
            try await serve(database)
        } catch {
            await database.close()
            throw error
        }
        await database.close()
    }

    func connect(to address: String) async throws -> Database {
        var configuration = DatabaseConfiguration()
        configuration.poolSize = 20
        configuration.acquireTimeout = .seconds(5)
        configuration.statementTimeout = .seconds(30)
        configuration.applicationName = "gallery"
        let database = try await Database.connect(address, configuration: configuration)
        return database
    }

    func connectThroughPooler() async throws -> Database {
        let configuration = DatabaseConfiguration(
            directAddress: "postgresql://app@db.internal:5432/gallery",
            preparedStatements: .off
        )
        let database = try await Database.connect(
            "postgresql://app@pgbouncer.internal:6432/gallery",
            configuration: configuration
        )
        return database
    }

    func serve(_ database: Database) async throws {}
}
