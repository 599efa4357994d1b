import Foundation
import StoredFilesTesting

/// The address of the database: `DATABASE_URL`, or a PostgreSQL of our own that goes when we go.
struct Address {
    let url: String
    private let server: TemporaryPostgres?

    static func find() async throws -> Address {
        if let url = ProcessInfo.processInfo.environment["DATABASE_URL"] {
            say("using DATABASE_URL\n")
            return Address(url: url, server: nil)
        }
        say("DATABASE_URL is not set: starting a temporary PostgreSQL")
        let server = try await TemporaryPostgres.start()
        say("it listens on a private socket only, and is removed at the end\n")
        return Address(url: server.url, server: server)
    }

    func release() async {
        await server?.stop()
    }
}
