import NIOConcurrencyHelpers
import Storages

extension S3World {
    private static let sharedWorlds = NIOLockedValueBox<[Server: Task<S3World, any Error>]>([:])

    /// The bucket of a server that all tests share whose names are their own: making a bucket takes longer than most
    /// tests.
    static func shared(_ server: Server = .swift) async throws -> S3World {
        let task = sharedWorlds.withLockedValue { worlds in
            let task = worlds[server] ?? Task { try await S3World.make(server) }
            worlds[server] = task
            return task
        }
        return try await task.value
    }
}

extension StorageName {
    /// A name that no other test uses.
    static func unique() -> StorageName {
        StorageName(unchecked: "test-\(timeOrderedID())")
    }
}
