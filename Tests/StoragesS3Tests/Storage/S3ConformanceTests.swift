import StoragesS3
import StoredFilesTesting
import Testing

@Suite("S3 keeps the promises of storages", .timeLimit(.minutes(10)))
struct S3ConformanceTests {
    @Test("on every server", arguments: S3World.Server.allCases, StorageConformance.checks)
    func keepsItsPromises(server: S3World.Server, check: StorageConformance.Check) async throws {
        let storage = try await S3Storages.shared.storage(server)
        // OpenStack Swift looks whether the object is there before it takes the bytes, and not again: of writers at the same
        // moment more than one may win.
        let isRacy = server.kind == .openStackSwift && check.name.hasPrefix("lets one of concurrent writers win")
        guard isRacy else { return try await StorageConformance.run(check) { storage } }
        await withKnownIssue("The server's condition is not atomic", isIntermittent: true) {
            try await StorageConformance.run(check) { storage }
        }
    }
}

/// One storage for each server, so that checks use its connections together.
actor S3Storages {
    static let shared = S3Storages()

    private var tasks: [S3World.Server: Task<S3Storage, any Error>] = [:]

    func storage(_ server: S3World.Server) async throws -> S3Storage {
        let task =
            tasks[server]
            ?? Task {
                let storage = try await S3World.make(server).storage()
                try await storage.probeConditionalWrites()
                return storage
            }
        tasks[server] = task
        return try await task.value
    }
}
