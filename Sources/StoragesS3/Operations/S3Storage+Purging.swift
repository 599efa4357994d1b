import Foundation
import NIOCore
import Platform
public import Storages
import StoragesHTTP

extension S3Storage {
    /// The most names that are purged at the same time.
    private static let purgesAtOnce = 8
    /// The most times that the versions of a name are listed and deleted, until a listing has none.
    private static let mostRounds = 4

    /// Removes all versions of files, their delete markers, and their multipart uploads, for good.
    ///
    /// In a bucket that keeps versions it needs the permissions `s3:ListBucketVersions` and `s3:DeleteObjectVersion`,
    /// with multipart uploads `s3:ListBucketMultipartUploads` and `s3:AbortMultipartUpload`, and to name the end of a
    /// lock `s3:GetObject`, `s3:GetObjectVersion`, `s3:GetObjectRetention` and `s3:GetObjectLegalHold`. A lock in
    /// governance mode is not lifted. Replicas in other buckets, and what a service keeps of deleted objects for a
    /// time, are not touched.
    ///
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html>
    ///
    /// A name is done when a listing has no version of it any more, so a receipt without an error says that the server
    /// knew of none. Where the server keeps no versions the file is deleted.
    ///
    /// - Parameter names: Any number of names.
    /// - Returns: A receipt for each name, in the order given.
    /// - Throws: ``StorageError`` with code ``StorageError/Code/invalidConfiguration`` when there is no such bucket,
    ///   and when there are no credentials; `CancellationError`. What was removed before stays removed.
    /// - Complexity: Three requests for a name with up to a thousand versions; memory for a thousand of each of eight
    ///   names.
    public func purge(_ names: [StorageName]) async throws -> [PurgedFile] {
        try await reporting {
            try await names.mapConcurrently(limit: Self.purgesAtOnce) { try await self.purgeOne($0) }
        }
    }

    private func purgeOne(_ name: StorageName) async throws -> PurgedFile {
        var receipt = PurgedFile(name: name)
        receipt.error = name.safetyError(in: label)
        guard receipt.error == nil else { return receipt }
        // The uploads first: one that is completed in between is a version afterwards.
        try await noting(&receipt) { receipt in
            try await abortUploads(of: name) { receipt.uploadCount += 1 }
        }
        try await noting(&receipt) { try await purgeVersions(of: name, &$0) }
        return receipt
    }

    /// Runs a step of a purge, and records its failure in the receipt unless it concerns the whole storage.
    private func noting(_ receipt: inout PurgedFile, _ step: (inout PurgedFile) async throws -> Void) async throws {
        do {
            try await step(&receipt)
        } catch let failure as S3Failure where !failure.isMissingBucket {
            receipt.error = receipt.error ?? failure.storageError(receipt.name, label)
        } catch var error as StorageError where [.unavailable, .unsupported].contains(error.code) {
            error.name = receipt.name.string
            error.storage = label
            receipt.error = receipt.error ?? error
        }
    }

    // MARK: Versions

    private func purgeVersions(of name: StorageName, _ receipt: inout PurgedFile) async throws {
        var problem: VersionProblem?
        for round in 1...Self.mostRounds {
            problem = nil
            var isEmpty = true
            do {
                try await forEachBatchOfVersions(of: name) { versions in
                    isEmpty = false
                    let failures = try await remove(versions, of: name)
                    for (version, failure) in zip(versions, failures) {
                        if let failure {
                            try await note(failure, of: version, name, &problem)
                        } else if version.isMarker {
                            receipt.markerCount += 1
                        } else {
                            receipt.versionCount += 1
                        }
                    }
                }
            } catch is NoVersionListing {
                return try await purgeOnlyVersion(of: name, &receipt)
            }
            if isEmpty { return }
            if let problem, case .fail = RetryVerdict(problem.failure) { break }
            guard problem != nil, round < Self.mostRounds else { continue }
            try await Task.sleep(for: options.retries.policy.delay(before: round, isThrottled: false, asked: nil))
        }
        guard let problem else {
            throw StorageError(
                .unavailable,
                "The server still lists versions of the file after they were deleted several times. Somebody may be "
                    + "storing it meanwhile; purge it again."
            )
        }
        receipt.error = receipt.error ?? problem.error(name, label)
        receipt.retainedUntil = problem.lock?.until
    }

    /// Passes the versions and delete markers of exactly this name to a closure, page by page.
    private func forEachBatchOfVersions(
        of name: StorageName,
        _ body: ([ListedVersion]) async throws -> Void
    ) async throws {
        var progress = VersionListingProgress()
        repeat {
            let page = try await versions(prefix: name.string, after: progress.cursor)
            try progress.advance(over: page)
            let own = page.versions.filter { $0.key.elementsEqual(name.string.utf8) }
            if !own.isEmpty { try await body(own) }
            // The name itself comes before all that begin with it.
            let isBehind = page.versions.last.map { $0.key.count > name.string.utf8.count } ?? false
            if client.profile.listsInOrder && isBehind { return }
        } while progress.cursor != nil
    }

    /// Returns a page of versions and delete markers.
    ///
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html>
    private func versions(prefix: String, after cursor: ListVersionsPage.Cursor?) async throws -> ListVersionsPage {
        let operation = S3Operation("ListObjectVersions", .get)
            .headers(options.objectParameters.accountHeaders)
            .query("versions")
            .query("max-keys", "\(min(1000, client.profile.maxKeysPerDeletion))")
            .query("prefix", prefix)
            .query("encoding-type", client.profile.encodesListings ? "url" : nil)
            .query("key-marker", try (cursor?.key).map(ListObjectsPage.marker))
            .query("version-id-marker", cursor?.versionID)
        do {
            let page = try await client.perform(operation) { try ListVersionsPage($0.body, prefix: prefix) }
            guard page.isOfVersions else { throw NoVersionListing() }
            return page
        } catch let failure as S3Failure where failure.isUnsupportedRequest {
            throw NoVersionListing()
        }
    }

    /// Deletes versions of one name, and returns a failure for each, or `nil` for those that are gone.
    private func remove(_ versions: [ListedVersion], of name: StorageName) async throws -> [S3Failure?] {
        let ids = versions.map(\.versionID)
        if versions.count > 1, client.profile.deletesInBulk, DeleteObjectsBody.canHold(Array(name.string.utf8)) {
            do {
                let operation = try bulkDeletion(DeleteObjectsBody.make(for: versions))
                let outcomes = try await client.perform(operation) {
                    try DeleteResult($0.body).outcomes(ofVersions: ids)
                }
                return outcomes.map { outcome in
                    let problem: UnusableDocument
                    switch outcome {
                    case .deleted: return nil
                    case .failed(let document): problem = .error(document)
                    case .unreported: problem = .unreadable("the response does not name the version")
                    }
                    return S3Failure(operation, bucket: bucketName, .document(status: 200, headers: [:], problem))
                }
            } catch let failure as S3Failure where failure.isNoBulkDeletion {
                // One by one, then.
            }
        }
        var failures: [S3Failure?] = []
        for id in ids {
            do {
                try await client.perform(deletion(of: name, version: id)) { try $0.requireDone() }
                failures.append(nil)
            } catch let failure as S3Failure where !failure.isMissingBucket {
                failures.append(failure.saysMissing ? nil : failure)
            }
        }
        return failures
    }

    // MARK: Locks

    /// Records the most telling failure, and the date until which the last of the versions is locked.
    private func note(
        _ failure: S3Failure,
        of version: ListedVersion,
        _ name: StorageName,
        _ problem: inout VersionProblem?
    ) async throws {
        // Missing permissions are missing for all versions: after the first one that is not locked no other is looked
        // up.
        let mayBeLocked = problem == nil || problem?.lock != nil
        var lock: VersionLock?
        if !version.isMarker, mayBeLocked, RetryVerdict(failure) == .fail {
            do {
                lock = VersionLock(try await head(name, version: version.versionID).headers)
            } catch is S3Failure {
                // The lock is not known, and the failure of the deletion is reported.
            }
        }
        guard let known = problem else {
            problem = VersionProblem(failure: failure, lock: lock)
            return
        }
        if let lock {
            // A legal hold has no end, and so all versions together have none.
            let dates = [known.lock?.until, lock.until]
            let isHeld = lock.isHeld || known.lock?.isHeld == true
            problem?.lock = VersionLock(until: isHeld ? nil : dates.compactMap(\.self).max(), isHeld: isHeld)
        } else if RetryVerdict(known.failure) != .fail {
            problem?.failure = failure
        }
    }

    // MARK: Servers without versions

    /// Deletes a file on a server that cannot list versions, unless its bucket keeps versions all the same.
    private func purgeOnlyVersion(of name: StorageName, _ receipt: inout PurgedFile) async throws {
        guard try await !keepsVersions() else { throw Self.hiddenVersions }
        let existed: Bool
        do {
            _ = try await head(name)
            existed = true
        } catch let failure as S3Failure where failure.isNotFound || failure.status == 403 {
            // Credentials that may not list cannot find out; the deletion may be allowed all the same.
            existed = false
        }
        do {
            let isHidden = try await client.perform(deletion(of: name)) { response in
                try response.requireDone()
                return response.headers["x-amz-delete-marker"]?.lowercased() == "true"
            }
            if isHidden { throw Self.hiddenVersions }
        } catch let failure as S3Failure where failure.saysMissing {
            return
        }
        if existed { receipt.versionCount += 1 }
    }

    /// Returns whether the bucket keeps versions, or has kept some.
    ///
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketVersioning.html>
    private func keepsVersions() async throws -> Bool {
        let operation = S3Operation("GetBucketVersioning", .get)
            .headers(options.objectParameters.accountHeaders)
            .query("versioning")
        do {
            return try await client.perform(operation) { response in
                let root = try S3Document.root(of: response.body, named: ["VersioningConfiguration"])
                return root.string("Status") != nil
            }
        } catch let failure as S3Failure where failure.isUnsupportedRequest {
            return false
        }
    }

    private static let hiddenVersions = StorageError(
        .unsupported,
        "The bucket keeps versions, and the server does not list them as S3 does, so older versions of the file may "
            + "be left. Remove them with the tools of the service."
    )
}

/// The error of a server that does not list versions.
private struct NoVersionListing: Error {}

/// The object lock that keeps a version from being deleted.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html>
private struct VersionLock {
    /// The date on which the retention ends.
    var until: Date?
    /// A Boolean value that indicates whether there is a legal hold, which has no end.
    var isHeld: Bool

    init(until: Date?, isHeld: Bool) {
        self.until = until
        self.isHeld = isHeld
    }

    /// Creates a lock from the headers of a response to HeadObject; `nil` when there is none.
    init?(_ headers: HTTPHeaders) {
        isHeld = headers["x-amz-object-lock-legal-hold"]?.uppercased() == "ON"
        let date = headers["x-amz-object-lock-retain-until-date"].flatMap(ISO8601Timestamp.date(from:))
        until = isHeld ? nil : date
        if !isHeld && date == nil { return nil }
    }
}

/// The reason why versions of a name are left.
private struct VersionProblem {
    var failure: S3Failure
    var lock: VersionLock?

    func error(_ name: StorageName, _ storage: String) -> StorageError {
        var error = failure.storageError(name, storage)
        guard let lock else { return error }
        error.code = .retained
        if lock.isHeld {
            error.message =
                "The server keeps versions of the file because of a legal hold. Have the hold lifted, then purge again."
        } else {
            let date = lock.until.flatMap(ISO8601Timestamp.string(from:)) ?? "a date that it does not say"
            error.message = "The server keeps versions of the file by object lock until \(date). Purge again then."
        }
        return error
    }
}
