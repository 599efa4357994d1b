import Storages

/// Runs work, and gives it up when it takes too long.
///
/// - Throws: ``StorageError`` with code `.timeout` and the failure.
func withDeadline<Result: Sendable>(
    _ limit: Duration,
    _ failure: String,
    _ work: @escaping @Sendable () async throws -> Result
) async throws -> Result {
    try await withThrowingTaskGroup(of: Result?.self) { group in
        group.addTask { try await work() }
        group.addTask {
            try await Task.sleep(for: limit)
            return nil
        }
        defer { group.cancelAll() }
        guard let result = try await group.next() ?? nil else {
            throw StorageError(.timeout, "\(failure) within \(limit). It is tried again.")
        }
        return result
    }
}
