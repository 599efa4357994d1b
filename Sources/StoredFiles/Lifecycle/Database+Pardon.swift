public import PostgresModels
public import Storages

extension Database {
    /// Takes back that files were given up, so that rows can name them again: for a restore that brings back both.
    ///
    /// A deleted file's name is refused for ``ReaperConfiguration/tombstoneAge``. Bring back the objects, from a backup
    /// or from the versions of a bucket, pardon their names, then restore the rows. What is condemned and not deleted
    /// yet is pardoned, too; what a reaper is deleting in this moment is not.
    ///
    /// - Parameters:
    ///   - names: The names.
    ///   - storage: Their storage.
    /// - Returns: How many of them had been given up.
    /// - Throws: ``DatabaseError``; `CancellationError`.
    @discardableResult
    public func pardon(_ names: [StorageName], in storage: StorageID) async throws -> Int {
        // What rows have let go of just now is pardoned, too.
        try await Journal(database: self, isIndependent: false).drain(storage)
        var count = 0
        for start in stride(from: 0, to: names.count, by: 1000) {
            let batch = names[start..<min(start + 1000, names.count)].map(\.string)
            count += try await maintenanceTransaction { transaction in
                let rows = try await transaction.query(
                    "SELECT \(raw: JournalSchema.name).pardon(\(storage.rawValue), \(batch))"
                )
                return Int(try rows.first?.decode(Int32.self, at: 0) ?? 0)
            }
        }
        return count
    }
}
