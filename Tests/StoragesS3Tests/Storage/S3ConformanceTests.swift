import StoragesS3
import StoredFilesTesting
import Testing

@Suite("S3 keeps the promises of storages", .timeLimit(.minutes(10)))
struct S3ConformanceTests {
    @Test("on every server", arguments: S3World.Server.allCases, StorageConformance.checks)
    func keepsItsPromises(server: S3World.Server, check: StorageConformance.Check) async throws {
        let storage = try await S3Storages.shared.storage(server)
        guard let gap = Self.knownGap(of: server, in: check) else {
            return try await StorageConformance.run(check) { storage }
        }
        await withKnownIssue(Comment(rawValue: gap), isIntermittent: true) {
            try await StorageConformance.run(check) { storage }
        }
    }

    /// What a server does not do, whatever a client asks for.
    private static func knownGap(of server: S3World.Server, in check: StorageConformance.Check) -> String? {
        switch (server.kind, check.name) {
        case (.openStackSwift, "lets one of concurrent writers win when the others shall fail"),
            (.openStackSwift, "keeps all files of concurrent writers of one name"):
            "OpenStack Swift looks whether the object is there before it takes the bytes, and not again"
        case (.rclone, "keeps names apart that look the same"):
            "rclone finds a key by its normalised form"
        default: nil
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
