package import PostgresModels
package import Storages

/// Returns the `StorageError` that some work throws; `nil` when it throws none, or an error of another type.
package func storageError(_ work: () async throws -> some Any) async -> StorageError? {
    do {
        _ = try await work()
        return nil
    } catch {
        return error as? StorageError
    }
}

/// Returns the code of the `StorageError` that some work throws; `nil` when it throws none, or an error of another
/// type.
package func storageErrorCode(_ work: () async throws -> some Any) async -> StorageError.Code? {
    await storageError(work)?.code
}

/// Returns the `DatabaseError` that some work throws; `nil` when it throws none.
///
/// - Throws: An error of another type.
package func databaseError(_ work: () async throws -> some Any) async throws -> DatabaseError? {
    do {
        _ = try await work()
        return nil
    } catch let error as DatabaseError {
        return error
    }
}
