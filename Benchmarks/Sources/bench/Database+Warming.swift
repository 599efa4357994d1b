import StoredFiles

extension Database {
    /// Opens as many connections as the work uses, and does its operation once on each, before anything is measured.
    func openConnections(_ count: Int, _ operation: @escaping @Sendable (Int) async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<count {
                group.addTask {
                    // All of them are busy at the same time, so the pool has to open them all.
                    _ = try await self.query("SELECT pg_sleep(0.05)")
                    try await operation(index)
                }
            }
            try await group.waitForAll()
        }
    }
}
