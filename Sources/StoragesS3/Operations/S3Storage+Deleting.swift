import NIOCore
import Platform
public import Storages
import StoragesHTTP

extension S3Storage {
    /// The most deletions of single files at the same time.
    private static let deletionsAtOnce = 20
    /// The most requests for the names that a response does not report as deleted.
    private static let bulkAttempts = 3

    /// Deletes files, up to a thousand with one request; a name that no file has counts as deleted.
    ///
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html>
    ///
    /// Where the server has no such request, each file is deleted by one of its own, twenty at a time.
    ///
    /// - Parameter names: Any number of names.
    /// - Returns: The names that may still exist, in the order given, with the errors.
    /// - Throws: ``StorageError`` with code ``StorageError/Code/invalidConfiguration`` when there is no such bucket,
    ///   and when there are no credentials; `CancellationError`. What was deleted before stays deleted.
    public func delete(_ names: [StorageName]) async throws -> [DeletionFailure] {
        try await reporting {
            var failures: [DeletionFailure] = []
            var start = 0
            while start < names.count {
                let end = min(start + client.profile.maxKeysPerDeletion, names.count)
                failures += try await delete(batch: Array(names[start..<end]))
                start = end
            }
            return failures
        }
    }

    private func delete(batch names: [StorageName]) async throws -> [DeletionFailure] {
        var failures: [DeletionFailure] = []
        var bulk: [StorageName] = []
        var single: [StorageName] = []
        for name in names {
            do {
                try name.requireSafe(in: label)
            } catch let error as StorageError {
                failures.append(DeletionFailure(name: name, error: error))
                continue
            }
            let fits = client.profile.deletesInBulk && DeleteObjectsBody.canHold(Array(name.string.utf8))
            if fits { bulk.append(name) } else { single.append(name) }
        }
        if bulk.count == 1 {
            // One file is deleted by the request that every server knows.
            single += bulk
            bulk = []
        }
        if !bulk.isEmpty {
            do {
                failures += try await deleteInBulk(bulk)
            } catch let failure as S3Failure where failure.isNoBulkDeletion {
                single += bulk
            } catch let failure as S3Failure where !failure.isMissingBucket {
                // Other batches may do better, and the caller learns which names are left.
                failures += bulk.map { DeletionFailure(name: $0, error: failure.storageError($0, label)) }
            }
        }
        failures += try await deleteOneByOne(single)
        let order = Dictionary(names.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        return failures.sorted { order[$0.name, default: 0] < order[$1.name, default: 0] }
    }

    // MARK: Many with one request

    /// The error of a response after which some files may still exist, and are worth another request.
    private struct Unfinished: Error {
        var isThrottled: Bool
    }

    private func deleteInBulk(_ names: [StorageName]) async throws -> [DeletionFailure] {
        var left = names
        var failures: [DeletionFailure] = []
        do {
            try await options.retries.policy.withDelays(maxAttempts: Self.bulkAttempts).run(
                judge: { error, _ in
                    guard let error = error as? Unfinished else { return .fail }
                    return .retry(isThrottled: error.isThrottled, after: nil)
                }
            ) { attempts in
                let isLast = attempts.sent == Self.bulkAttempts
                let unfinished = try await deleteOnce(&left, &failures, retries: !isLast)
                if let unfinished { throw unfinished }
            }
            return failures
        } catch is Unfinished {
            return failures
                + left.map { name in
                    DeletionFailure(
                        name: name,
                        error: StorageError(
                            .unavailable,
                            "The server does not say whether the file is deleted. Delete it again.",
                            name: name,
                            storage: label
                        )
                    )
                }
        }
    }

    /// Sends one request.
    ///
    /// - Parameters:
    ///   - left: The names; afterwards those that are to be asked for again.
    ///   - failures: Receives the files that could not be deleted.
    ///   - retries: Whether there is another request for those whose failure it may mend.
    /// - Returns: `nil` when no name is left.
    private func deleteOnce(
        _ left: inout [StorageName],
        _ failures: inout [DeletionFailure],
        retries: Bool
    ) async throws -> Unfinished? {
        let keys = left.map { Array($0.string.utf8) }
        let operation = try bulkDeletion(DeleteObjectsBody.make(for: keys))
        let outcomes = try await client.perform(operation) { try DeleteResult($0.body).outcomes(for: keys) }
        var again: [StorageName] = []
        var isThrottled = false
        for (name, outcome) in zip(left, outcomes) {
            switch outcome {
            case .deleted: break
            case .unreported:
                again.append(name)
            case .failed(let document):
                let failure = S3Failure(
                    operation,
                    bucket: bucketName,
                    .document(status: 200, headers: [:], .error(document))
                )
                if case .retry(let throttled, _) = RetryVerdict(failure), retries {
                    again.append(name)
                    isThrottled = isThrottled || throttled
                } else {
                    failures.append(DeletionFailure(name: name, error: failure.storageError(name, label)))
                }
            }
        }
        left = again
        return left.isEmpty ? nil : Unfinished(isThrottled: isThrottled)
    }

    // MARK: One by one

    private func deleteOneByOne(_ names: [StorageName]) async throws -> [DeletionFailure] {
        try await names.mapConcurrently(limit: Self.deletionsAtOnce) { try await self.deleteOne($0) }.compactMap { $0 }
    }

    private func deleteOne(_ name: StorageName) async throws -> DeletionFailure? {
        let operation = deletion(of: name)
        do {
            try await client.perform(operation) { try $0.requireDone() }
            return nil
        } catch let failure as S3Failure where failure.saysMissing {
            return nil
        } catch let failure as S3Failure where !failure.isMissingBucket {
            return DeletionFailure(name: name, error: failure.storageError(name, label))
        }
    }
}

extension S3Storage {
    /// The DeleteObjects request with a body that names the objects.
    ///
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html>
    func bulkDeletion(_ body: ByteBuffer) throws -> S3Operation {
        // A server may delete a thousand objects one after the other before it responds.
        S3Operation("DeleteObjects", .post)
            .query("delete")
            .headers(options.objectParameters.accountHeaders)
            .document(body)
            .headers(try IntegrityPolicy.contentMD5(of: HTTPBody(body)))
            .timeout(nil, stall: S3Operation.TimeLimit.serverWork)
    }

    /// The DeleteObject request for one file.
    ///
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html>
    func deletion(of name: StorageName, version: String? = nil) -> S3Operation {
        S3Operation("DeleteObject", .delete, key: name.string)
            .headers(parameters(for: name).accountHeaders)
            .version(version)
    }
}
