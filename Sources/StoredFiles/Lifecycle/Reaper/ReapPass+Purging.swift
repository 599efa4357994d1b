import PostgresModels
import Storages

extension ReapPass {
    /// Removes everything that the storage keeps of names that were taken, and notes what came of it.
    ///
    /// - Throws: ``StorageError`` when something is left; the reaper tries again.
    func purge(_ taken: [Taken]) async throws -> [PurgedFile] {
        var files: [PurgedFile] = []
        for file in taken {
            do {
                files += try await removeAll(of: file.name)
            } catch {
                try await note([
                    ReapReport.Failure(storage: id, name: file.name, attempts: file.attempts, error: error)
                ])
                throw error
            }
            try await journal.keepTombstones(of: [file.name], in: id)
        }
        return files
    }

    /// Removes everything that the storage keeps under a name, and what was derived from it.
    func removeAll(of name: StorageName) async throws -> [PurgedFile] {
        // A column can hold what no storage has.
        guard (try? StorageName(validating: name.string)) != nil else { return [] }
        var names = [name]
        for try await variant in storage.list(prefix: name.variantPrefix) { names.append(variant.name) }
        let files = try await storage.purge(names)
        for file in files { if let error = file.error { throw error } }
        return files
    }
}
