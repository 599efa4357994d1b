import Foundation
import Logging
import NIOConcurrencyHelpers
import NIOCore
public import Storages

extension S3Storage {
    /// Finds out whether the server makes writes depend on what is there, and remembers it.
    ///
    /// Some servers do it, some refuse, and some ignore the condition without a word and overwrite. So an object with a random
    /// key is written twice, each time on the condition that it is not there, and deleted; the same for an upload in parts and
    /// for a copy. Then it is to be replaced and deleted in a version that it has not. The first upload to an unknown server does this by itself; call it at start-up to have
    /// ``Storage/capabilities`` right from the beginning.
    ///
    /// Only what is not known of the server counts: some do it right one after the other, and wrong at the same time.
    ///
    /// - Returns: What the storage can do.
    /// - Throws: ``StorageError`` with code ``StorageError/Code/permissionDenied`` or ``StorageError/Code/unavailable`` when
    ///   the server lets nothing be written; then nothing is remembered. `CancellationError`.
    @discardableResult
    public func probeConditionalWrites() async throws -> StorageCapabilities {
        _ = try await reporting { try await probedConditions() }
        return capabilities
    }

    /// What is found out, once for all who ask at the same time.
    ///
    /// The task that asks first may be cancelled; the others still want to know, and what was written is to be deleted.
    func probedConditions() async throws -> ConditionalWrites {
        let task = probing.withLockedValue { running in
            let task =
                running
                ?? Task {
                    defer { probing.withLockedValue { $0 = nil } }
                    return try await findOutConditions()
                }
            running = task
            return task
        }
        let found = try await task.value
        try Task.checkCancellation()
        return found
    }

    private static let probePrefix = ".stored-files-probe-"

    private func findOutConditions() async throws -> ConditionalWrites {
        let name = StorageName(unchecked: Self.probePrefix + StorageName.timeOrderedID())
        let copy = StorageName(unchecked: name.string + "-copy")
        let parts = StorageName(unchecked: name.string + "-parts")
        var found = ConditionalWrites(client.profile)
        do {
            found.onPut = try await honours {
                var operation = put(name)
                operation.headers.append("If-None-Match", "*")
                try await client.perform(operation) { try $0.requireDone() }
            }
            // A server that ignores the one ignores the others.
            found.onComplete = .unsupported
            found.onCopy = .unsupported
            found.replacement = .unsupported
            found.deletion = .unsupported
            if found.onPut.isSupported {
                found.onComplete = try await honours { try await putInParts(parts) }
                found.onCopy = try await honours {
                    var operation = S3Operation("CopyObject", .put, key: copy.string)
                    operation.headers = options.objectParameters.accountHeaders
                    operation.headers.append("If-None-Match", "*")
                    operation.headers.append("x-amz-copy-source", client.addressing.copySource(forKey: name.string))
                    operation.headers.append("x-amz-metadata-directive", "REPLACE")
                    try await client.perform(operation) { _ = try CopyObjectResult($0.body) }
                }
                found.replacement = try await looksAtTags(replacing: name)
                found.deletion = try await isRefused(deletion(of: name), ifMatch: Self.wrongTag)
            }
        } catch {
            await removeProbes([name, copy, parts])
            throw error
        }
        await removeProbes([name, copy, parts])
        await removeOldProbes()
        // What is known of the server counts more than two tries: some do it one after the other, and not at once.
        let result = ConditionalWrites(client.profile).filled(from: found)
        conditions.withLockedValue { $0 = result }
        options.logger.info(
            "Found out which writes the S3 server makes depend on the absence of a file",
            metadata: [
                "bucket": "\(bucketName)", "put": "\(result.onPut.isSupported)",
                "parts": "\(result.onComplete.isSupported)",
                "copy": "\(result.onCopy.isSupported)", "replacement": "\(result.replacement)",
                "deletion": "\(result.deletion)",
            ]
        )
        return result
    }

    /// Whether a write with the condition is done the first time and refused the second: there are servers that always
    /// refuse it, and servers that never do.
    private func honours(_ write: () async throws -> Void) async throws -> EndpointProfile.CreateCondition {
        do {
            try await write()
        } catch let failure as S3Failure where failure.isExisting || failure.isUnknownHeader {
            return .unsupported
        } catch let error as StorageError where error.code == .alreadyExists {
            return .unsupported
        }
        do {
            try await write()
            return .unsupported
        } catch let failure as S3Failure where failure.isExisting {
            return .ifNoneMatch
        } catch let error as StorageError where error.code == .alreadyExists {
            return .ifNoneMatch
        }
    }

    /// A tag that no object has.
    private static let wrongTag = "\"00000000000000000000000000000000\""

    /// Whether an object is replaced in the version it has, and in no other.
    private func looksAtTags(replacing name: StorageName) async throws -> EndpointProfile.Support {
        guard let tag = try await head(name).info.entityTag else { return .unsupported }
        let operation = put(name)
        guard try await isRefused(operation, ifMatch: Self.wrongTag) == .supported else { return .unsupported }
        return try await isRefused(operation, ifMatch: tag) == .unsupported ? .supported : .unsupported
    }

    private func isRefused(_ operation: S3Operation, ifMatch tag: String) async throws -> EndpointProfile.Support {
        var operation = operation
        operation.headers.append("If-Match", tag)
        do {
            try await client.perform(operation) { try $0.requireDone() }
            return .unsupported
        } catch let failure as S3Failure where failure.isExisting {
            return .supported
        } catch let failure as S3Failure where failure.isUnknownHeader {
            return .unsupported
        }
    }

    private func put(_ name: StorageName) -> S3Operation {
        var operation = S3Operation("PutObject", .put, key: name.string)
        operation.headers = options.objectParameters.accountHeaders
        operation.headers.append("Content-Type", "text/plain")
        operation.body = HTTPBody("Whether this server honours conditions. To be deleted.")
        return operation
    }

    private func putInParts(_ name: StorageName) async throws {
        let upload = try await begin(name, options.objectParameters.accountHeaders)
        _ = try await finishing(upload, WriteCondition.absence(by: .ifNoneMatch)) {
            try await probePart(of: upload)
        }
    }

    private func probePart(of upload: Multipart) async throws -> [CompletedPart] {
        var operation = S3Operation("UploadPart", .put, key: upload.name.string)
        operation.query = [("partNumber", "1"), ("uploadId", upload.uploadID)]
        operation.body = HTTPBody("Whether this server honours conditions. To be deleted.")
        return try await client.perform(operation) { answer in
            guard let tag = answer.headers["ETag"] else {
                throw UnusableDocument.unreadable("the answer to a part has no entity tag")
            }
            return [CompletedPart(number: 1, entityTag: tag, checksum: nil)]
        }
    }

    /// Removes what processes left behind that died while they found out.
    private func removeOldProbes() async {
        let anHourAgo = Date(timeIntervalSinceNow: -3600)
        do {
            var names: [StorageName] = []
            for try await file in list(prefix: Self.probePrefix) {
                if let modified = file.modified, modified < anHourAgo { names.append(file.name) }
            }
            if !names.isEmpty { await removeProbes(names) }
            try await abortUploads(olderThan: anHourAgo, prefix: Self.probePrefix)
        } catch {
            // Keys that may write and not list are common.
            options.logger.debug(
                "Could not look for what earlier tries of the S3 server left",
                metadata: ["bucket": "\(bucketName)", "error": "\(error)"]
            )
        }
    }

    private func removeProbes(_ names: [StorageName]) async {
        await Task {
            do {
                for failure in try await self.delete(names) { throw failure.error }
            } catch {
                self.options.logger.warning(
                    "An object that was written to try the S3 server out could not be deleted. Delete it.",
                    metadata: ["bucket": "\(self.bucketName)", "key": "\(names[0])", "error": "\(error)"]
                )
            }
        }.value
    }
}

extension S3Failure {
    /// Whether the server does not know the condition, and says so.
    fileprivate var isUnknownHeader: Bool {
        switch status {
        case 405, 501: true
        // Other codes are about the region, the keys or the clock, and say nothing about conditions.
        case 400: ["InvalidArgument", "InvalidRequest", "NotImplemented", "UnsupportedArgument", nil].contains(code)
        default: false
        }
    }
}
