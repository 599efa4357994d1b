import Platform

extension OverlayStorage {
    /// The number of names that are hidden before the upper storage deletes them: with S3 as many as one request takes.
    private static let batchSize = 1000

    /// Deletes files of the upper storage, and hides those of the lower one.
    ///
    /// - Parameter names: Any number of names. One that no file has counts as deleted.
    /// - Returns: The names that may still exist, and why.
    /// - Throws: As the upper storage; what was deleted before stays deleted.
    public func delete(_ names: [StorageName]) async throws -> [DeletionFailure] {
        var failures: [DeletionFailure] = []
        for start in stride(from: 0, to: names.count, by: Self.batchSize) {
            let batch = Array(names[start..<min(start + Self.batchSize, names.count)])
            let covers = try await cover(batch)
            failures += zip(batch, covers).compactMap { name, cover in
                cover.error.map { DeletionFailure(name: name, error: $0) }
            }
            failures += try await upper.delete(zip(batch, covers).filter { $0.1.error == nil }.map(\.0))
            let errors = try await coverAgain(batch, covers)
            failures += zip(batch, errors).compactMap { name, error in
                error.map { DeletionFailure(name: name, error: $0) }
            }
        }
        return failures
    }

    /// Removes everything that the upper storage keeps under names, and hides the files of the lower one.
    ///
    /// A receipt with ``PurgedFile/isInherited`` says that the lower storage has a file of the name and goes on to keep
    /// it: to remove that one is up to the owner of the lower storage. The whiteout, with the name in it, stays,
    /// too.
    ///
    /// - Parameter names: Any number of names.
    /// - Returns: A receipt for each name, in the order given.
    /// - Throws: As the upper storage; what was removed before stays removed.
    public func purge(_ names: [StorageName]) async throws -> [PurgedFile] {
        var receipts: [PurgedFile] = []
        for start in stride(from: 0, to: names.count, by: Self.batchSize) {
            let batch = Array(names[start..<min(start + Self.batchSize, names.count)])
            let covers = try await cover(batch)
            let rest = zip(batch, covers).filter { $0.1.error == nil }.map(\.0)
            let purged = try await upper.purge(rest)
            guard purged.map(\.name) == rest else {
                throw StorageError(
                    .io,
                    "The upper storage did not say of each name what was removed. This is a defect of it.",
                    storage: label
                )
            }
            let errors = try await coverAgain(batch, covers)
            var next = purged.makeIterator()
            for (index, name) in batch.enumerated() {
                if let error = covers[index].error {
                    receipts.append(PurgedFile(name: name, error: error))
                } else if var receipt = next.next() {
                    if case .hidden = covers[index] { receipt.isInherited = true }
                    receipt.error = receipt.error ?? errors[index]
                    receipts.append(receipt)
                }
            }
        }
        return receipts
    }

    /// Gives up unfinished uploads to the upper storage.
    ///
    /// Those to the lower storage are somebody else's.
    public func abandonUploads(of names: [StorageName]) async throws {
        try await upper.abandonUploads(of: names)
    }

    // MARK: Whiteouts

    private enum Cover: Sendable {
        /// The lower storage has no file that must be hidden.
        case nothing
        case hidden
        /// It may have one that is not hidden, so that the upper storage's must stay.
        case failed(StorageError)

        var error: StorageError? {
            if case .failed(let error) = self { error } else { nil }
        }
    }

    /// Hides the files that the lower storage has of names.
    ///
    /// Before the upper storage's files go, not after: a process that is killed in between leaves both, and the file
    /// counts as long as it is there. The other way round the lower storage's file would come back for a moment, or for
    /// ever.
    private func cover(_ names: [StorageName]) async throws -> [Cover] {
        try await names.mapConcurrently(limit: 16) { name in
            if let error = name.safetyError(in: label) { return .failed(error) }
            do {
                guard try await lowerHas(name) else { return .nothing }
                try await whiteouts.insert(name)
                return .hidden
            } catch let error as StorageError {
                return .failed(error)
            }
        }
    }

    /// Hides again what somebody has uncovered meanwhile who stored a file that was deleted here.
    ///
    /// - Returns: For each name why the lower storage's file may be seen.
    private func coverAgain(_ names: [StorageName], _ covers: [Cover]) async throws -> [StorageError?] {
        try await zip(names, covers).mapConcurrently(limit: 16) { name, cover in
            guard case .hidden = cover else { return nil }
            do {
                try await whiteouts.insert(name)
                return nil
            } catch let error as StorageError {
                return error
            }
        }
    }
}
