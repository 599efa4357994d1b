extension FileSystemStorage {
    /// Deletes files, and the directories that become empty, up to the root.
    ///
    /// A symbolic link with such a name is removed itself, its target is not touched.
    ///
    /// - Parameter names: Any number of names. One that no file has counts as deleted.
    /// - Returns: The names that may still exist, and why.
    /// - Throws: `CancellationError`; what was deleted before stays deleted.
    public func delete(_ names: [StorageName]) async throws -> [DeletionFailure] {
        var failures: [DeletionFailure] = []
        var start = 0
        // One visit to the pool for so many names, so that cancelling a long deletion is noticed.
        while start < names.count {
            let batch = names[start..<min(start + 64, names.count)]
            failures += try await run("delete the files", nil) { self.deleteNow(batch).failures }
            start = batch.endIndex
        }
        return failures
    }

    /// Removes the bytes that unfinished uploads to the names have in the staging directory.
    ///
    /// An upload with such a file that is still going on fails at its end. Where the kernel has files without names
    /// only uploads with ``IfExists/replace`` have one; the others vanish with their process.
    ///
    /// - Parameter names: The names. One without an unfinished upload is passed over.
    /// - Throws: ``StorageError``; `CancellationError`.
    /// - Complexity: O(n) in the number of unfinished uploads.
    public func abandonUploads(of names: [StorageName]) async throws {
        for name in names { try requireOwnName(name) }
        guard !names.isEmpty else { return }
        _ = try await run("abandon unfinished uploads", nil) { try self.staging.removeFiles(for: names) }
    }

    /// Deletes files as ``delete(_:)-([StorageName])`` does, and the bytes of unfinished uploads to the names.
    ///
    /// A file system has one version of a file. What it keeps elsewhere, such as snapshots, is not touched, and the
    /// blocks are given back, not overwritten. An upload that is still going on and has no file of its own yet is not
    /// seen.
    ///
    /// - Parameter names: Any number of names.
    /// - Returns: A receipt for each name, in the order given.
    /// - Throws: `CancellationError`; what was deleted before stays deleted.
    public func purge(_ names: [StorageName]) async throws -> [PurgedFile] {
        var receipts: [PurgedFile] = []
        var start = 0
        while start < names.count {
            let batch = names[start..<min(start + 64, names.count)]
            receipts += try await run("purge the files", nil) { self.purgeNow(batch) }
            start = batch.endIndex
        }
        return receipts
    }

    private func purgeNow(_ names: ArraySlice<StorageName>) -> [PurgedFile] {
        // The uploads first: one that ends in between has its name afterwards.
        var uploads: [StorageName: Result<Int, any Error>] = [:]
        for name in names where (try? requireOwnName(name)) != nil {
            uploads[name] = Result { try staging.removeFiles(for: [name]) }
        }
        let deletion = deleteNow(names)
        let failures = deletion.failures
        var removed = deletion.removed
        return names.map { name in
            var receipt = PurgedFile(name: name, versionCount: removed.remove(name) == nil ? 0 : 1)
            receipt.error = failures.first { $0.name == name }?.error
            switch uploads[name] {
            case .success(let count): receipt.uploadCount = count
            case .failure(let error): receipt.error = receipt.error ?? deletionError(error, name)
            case nil: break
            }
            // A name that was given twice was removed once.
            uploads[name] = .success(0)
            return receipt
        }
    }

    private func deleteNow(
        _ names: ArraySlice<StorageName>
    ) -> (failures: [DeletionFailure], removed: Set<StorageName>) {
        var failures: [DeletionFailure] = []
        var removed: Set<StorageName> = []
        // Directories that lost an entry and still exist, to be written out once each.
        // By name, not by text: two directories that look the same are two.
        var changed: [StorageName: [StorageName]] = [:]
        for name in names {
            do {
                try requireOwnName(name)
                // One that is missing may have been removed by somebody who has not written that out.
                var parent = RootDirectory.parent(of: name.string[...])
                if try directory.removeEntry(name.string) {
                    removed.insert(name)
                    parent = directory.removeEmptyParents(of: name.string)
                }
                changed[StorageName(unchecked: String(parent)), default: []].append(name)
            } catch {
                failures.append(DeletionFailure(name: name, error: deletionError(error, name)))
            }
        }
        guard directory.synchronizes else { return (failures, removed) }
        for (path, names) in changed {
            do {
                try directory.synchronizeDirectory(at: path.string)
            } catch {
                failures += names.map { DeletionFailure(name: $0, error: deletionError(error, $0)) }
            }
        }
        return (failures, removed)
    }

    private func deletionError(_ error: any Error, _ name: StorageName) -> StorageError {
        switch error {
        case let error as StorageError: error
        case let error as SystemCallError: explain(error, "delete the file", name, writes: false)
        case let error as StagingAreaClosed: explain(error, "remove unfinished uploads", name)
        default: StorageError(.io, "Cannot delete the file.", name: name, storage: label, underlying: error)
        }
    }
}
