import Storages
import StoragesS3
import StoredFilesTesting
import Testing

@Suite("Conformance of S3 storages", .timeLimit(.minutes(10)))
struct S3ConformanceTests {
    @Test(
        "An S3 storage keeps the promises of storages on every server",
        arguments: S3World.Server.allCases + [.moto],
        StorageConformance.checks
    )
    func keepsItsPromises(server: S3World.Server, check: StorageConformance.Check) async throws {
        let storage = try await S3Storages.shared.storage(server)
        guard let gap = Self.knownGap(of: server, in: check) else {
            return try await StorageConformance.run(check) { storage }
        }
        await withKnownIssue(Comment(rawValue: gap), isIntermittent: true) {
            try await StorageConformance.run(check) { storage }
        }
    }

    @Test(
        "An S3 storage keeps the promises of storages on a server of unknown kind",
        arguments: StorageConformance.checks
    )
    func keepsThemUnknown(check: StorageConformance.Check) async throws {
        let storage = try await S3Storages.shared.unknown()
        try await StorageConformance.run(check) { storage }
    }

    @Test(
        "An S3 storage keeps the promises of storages on a bucket with versions",
        arguments: StorageConformance.checks
    )
    func keepsThemWithVersions(check: StorageConformance.Check) async throws {
        let storage = try await S3Storages.shared.versioned()
        guard check.name != "takes a segment of 255 bytes and deep directories" else {
            return await withKnownIssue("SeaweedFS keeps versions in a folder whose name is longer than the file's") {
                try await StorageConformance.run(check) { storage }
            }
        }
        try await StorageConformance.run(check) { storage }
    }

    @Test(
        "A listing of more than a page has every file of a directory and the files beside it",
        arguments: [S3World.Server.swift, .seaweed]
    )
    func listsALongDirectory(server: S3World.Server) async throws {
        let storage = try await S3World.make(server).storage()
        let scripts = ["x", "Ярлык", "日本 語", "a b+c", "100%", "50%25", "עברית", "é", "🐈", "x&y=<z>"]
        // The first page ends in the directory, and the second begins with what comes before it in the order of bytes.
        let keys = (0..<1000).map { "d/x/\(scripts[$0 % scripts.count]) \($0)" } + ["d/x-y.txt", "d/x.txt"]
        try await withThrowingTaskGroup(of: Void.self) { group in
            for first in 0..<8 {
                group.addTask {
                    for index in stride(from: first, to: keys.count, by: 8) {
                        let name = try StorageName(validating: keys[index])
                        _ = try await storage.upload(.string("x"), to: name, options: UploadOptions(ifExists: .replace))
                    }
                }
            }
            try await group.waitForAll()
        }
        let listed = try await storage.listedKeys(prefix: "d/")
        #expect(listed.count == keys.count)
        #expect(Set(listed) == Set(keys))
    }

    /// Returns the reason why a server does not keep a promise, whatever a client asks for.
    private static func knownGap(of server: S3World.Server, in check: StorageConformance.Check) -> String? {
        switch (server.kind, check.name) {
        case (.openStackSwift, "lets one of concurrent writers win when the others shall fail"),
            (.openStackSwift, "keeps all files of concurrent writers of one name"):
            "OpenStack Swift looks whether the object is there before it takes the bytes, and not again"
        case (.rclone, "keeps names apart that look the same"):
            "rclone finds a key by its normalised form"
        case (.moto, "lets one of concurrent writers win when the others shall fail"),
            (.moto, "keeps all files of concurrent writers of one name"):
            "moto looks whether the object is there, and stores it a moment later"
        case (.moto, "copies a file and leaves the source alone"):
            "moto has conditions for uploads and none for copies, which get a random suffix to overwrite nothing"
        default: nil
        }
    }
}

/// One storage for each server, so that checks use its connections together.
actor S3Storages {
    static let shared = S3Storages()

    private var tasks: [S3World.Server: Task<S3Storage, any Error>] = [:]
    private var unknownTask: Task<S3Storage, any Error>?
    private var versionedTask: Task<S3Storage, any Error>?

    /// SeaweedFS, as if nobody had said that it is that.
    func unknown() async throws -> S3Storage {
        let task =
            unknownTask
            ?? Task {
                let storage = try await S3World.make(.seaweed).storage { $0.server = .automatic }
                try await storage.probeConditionalWrites()
                return storage
            }
        unknownTask = task
        return try await task.value
    }

    /// A bucket of SeaweedFS that keeps all versions of its objects.
    func versioned() async throws -> S3Storage {
        let task =
            versionedTask
            ?? Task {
                let storage = try await S3World.make(.seaweed).storage()
                try await storage.keepVersions()
                try await storage.probeConditionalWrites()
                return storage
            }
        versionedTask = task
        return try await task.value
    }

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
