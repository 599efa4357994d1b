import NIOConcurrencyHelpers
import NIOCore
import Storages
import StoragesHTTP

extension S3Storage {
    /// Returns the conditional writes that the server supports for an upload, looked up before anything is read.
    ///
    /// - Parameters:
    ///   - ifExists: The behaviour when the name is taken.
    ///   - tag: The entity tag of the one version that is to be replaced.
    ///   - mayHaveParts: Whether the upload may have to go in parts, which ends with another request than that of a
    ///     whole file.
    ///   - name: The file.
    /// - Throws: ``StorageError`` with code `unsupported` where the server does not support the condition.
    func conditions(
        for ifExists: IfExists,
        replacing tag: String?,
        mayHaveParts: Bool,
        _ name: StorageName
    ) async throws -> ConditionalWrites {
        if let tag {
            guard !tag.isEmpty else {
                throw StorageError(
                    .unsupported,
                    "The tag is empty, so it says of no version. A server that tells no tags cannot do this.",
                    name: name,
                    storage: label
                )
            }
            let known = try await knownConditions {
                $0.put.tag == .unknown || mayHaveParts && $0.complete.tag == .unknown
            }
            guard known.put.tag.isSupported else { throw unsupported("replace a file only in a certain version", name) }
            guard known.complete.tag.isSupported || !mayHaveParts else {
                throw unsupportedInParts("the version of the file", "change it another way", name)
            }
            return known
        }
        switch ifExists {
        case .replace:
            return conditions.withLockedValue { $0.writes }
        case .fail:
            let known = try await knownConditions {
                $0.put.absence == .unknown || mayHaveParts && $0.complete.absence == .unknown
            }
            guard known.put.absence.isSupported else {
                throw StorageError(
                    .unsupported,
                    "This server cannot make an upload depend on the absence of the file. Upload with .rename or "
                        + ".replace; if it can, say so in the option server.",
                    name: name,
                    storage: label,
                    underlying: WriteConditionUnsupported()
                )
            }
            guard known.complete.absence.isSupported || !mayHaveParts else { throw cannotFailInParts(name) }
            return known
        case .rename:
            return try await knownConditions {
                $0.put.absence == .unknown || mayHaveParts && $0.complete.absence == .unknown
            }
        }
    }

    /// Returns the conditional writes that the server supports in this bucket, after a trial when something that a
    /// write needs is unknown.
    ///
    /// - Parameter isMissing: A closure that returns whether something that is needed is unknown.
    func knownConditions(_ isMissing: (ConditionalWrites) -> Bool) async throws -> ConditionalWrites {
        var known = conditions.withLockedValue { $0 }
        if known.needsVersioning {
            let versioning = try await askVersioning()
            known = conditions.withLockedValue { conditions in
                if conditions.needsVersioning { conditions.learn(versioning) }
                return conditions
            }
        }
        guard !known.isTried, isMissing(known.writes) else { return known.writes }
        return try await probedConditions()
    }

    /// Records what the response to a write shows of the bucket.
    func noting(_ written: WrittenObject) -> WrittenObject {
        if let version = written.versionID { conditions.withLockedValue { $0.note(versionID: version) } }
        return written
    }

    func unsupported(_ what: String, _ name: StorageName) -> StorageError {
        StorageError(
            .unsupported,
            "This server cannot \(what): it does not look at the condition. If it can, say so in the option server.",
            name: name,
            storage: label,
            underlying: WriteConditionUnsupported()
        )
    }

    func unsupportedInParts(_ what: String, _ alternative: String, _ name: StorageName) -> StorageError {
        StorageError(
            .unsupported,
            "This server cannot make a multipart upload depend on \(what). Announce a length up to the option "
                + "transfers.multipartThreshold, or \(alternative).",
            name: name,
            storage: label,
            underlying: WriteConditionUnsupported()
        )
    }

    func cannotFailInParts(_ name: StorageName) -> StorageError {
        unsupportedInParts("the absence of the file", "upload with .rename or .replace", name)
    }

    /// Performs a conditional write, and recognises the object of an attempt whose response was lost.
    ///
    /// - Parameters:
    ///   - nonce: The value in the object's metadata that identifies the write.
    ///   - name: The object.
    ///   - condition: The condition of the write.
    ///   - write: The write, retries included.
    func recognising(
        _ nonce: String,
        at name: StorageName,
        _ condition: WriteCondition,
        _ write: () async throws -> WrittenObject
    ) async throws -> WrittenObject {
        do {
            return try await write()
        } catch let failure as S3Failure where failure.isRefusal(of: condition) {
            guard failure.mayHaveSucceededBefore else { throw refusal(of: condition, name, failure) }
            return try await ownObject(at: name, nonce, condition, failure)
        } catch let failure as S3Failure where failure.isAmbiguous || failure.mayHaveSucceededBefore {
            // Nobody else has a reason to look: whether the file is there decides.
            return try await ownObjectAfterSilence(at: name, nonce, failure)
        }
    }

    /// Returns the object for which a write was refused, when an earlier attempt of the same write has made it.
    func ownObject(
        at name: StorageName,
        _ nonce: String,
        _ condition: WriteCondition,
        _ failure: S3Failure
    ) async throws -> WrittenObject {
        let head: Head
        do {
            head = try await self.head(name)
        } catch let notFound as S3Failure where notFound.status == 404 && condition.wantsVersion {
            throw refusal(of: condition, name, failure)
        } catch is S3Failure {
            throw outcomeUnknown(name, failure)
        }
        guard head.nonce == nonce else { throw refusal(of: condition, name, failure) }
        return head.written
    }

    /// Returns the object at a name, when an attempt of the same write has made it that got no response.
    ///
    /// - Parameters:
    ///   - name: The object.
    ///   - nonce: The value in the object's metadata that identifies the upload.
    ///   - failure: The failure in place of a response.
    ///   - missing: The error to throw when the object is not this upload's. Default: the failure.
    func ownObjectAfterSilence(
        at name: StorageName,
        _ nonce: String,
        _ failure: S3Failure,
        otherwise missing: StorageError? = nil
    ) async throws -> WrittenObject {
        do {
            let head = try await self.head(name)
            if head.nonce == nonce { return head.written }
        } catch let notFound as S3Failure where notFound.status == 404 {
            // The write may still arrive, so the failure is the result.
        } catch is S3Failure {
            throw outcomeUnknown(name, failure)
        }
        if let missing { throw missing }
        throw failure
    }

    // MARK: Errors

    /// The error of a write whose condition does not hold.
    func refusal(of condition: WriteCondition, _ name: StorageName, _ failure: S3Failure? = nil) -> StorageError {
        let (code, message): (StorageError.Code, String) =
            condition.wantsVersion
            ? (
                .preconditionFailed,
                "The file has another version than \(StorageError.quoted(condition.field.value)), or is gone. Read "
                    + "its info again."
            )
            : (
                .alreadyExists,
                "A file has this name already. Choose another name, or upload with .rename or .replace."
            )
        return StorageError(code, message, name: name, storage: label, underlying: failure?.details)
    }

    func outcomeUnknown(_ name: StorageName, _ failure: S3Failure) -> StorageError {
        StorageError(
            .outcomeUnknown,
            "No reliable response says whether the file is stored. Look for it, or upload again.",
            name: name,
            storage: label,
            underlying: failure.details
        )
    }
}

extension S3Failure {
    /// Returns whether the server refused because the condition does not hold.
    func isRefusal(of condition: WriteCondition) -> Bool {
        // Amazon S3 responds with "not found" when the object that is to be replaced does not exist.
        isConditionConflict || condition.wantsVersion && status == 404 && code != .noSuchBucket && code != .noSuchUpload
    }

    /// A Boolean value that indicates whether the server refused because a precondition failed or the object exists.
    var isConditionConflict: Bool {
        status == 412 || status == 304 || code == .preconditionFailed || code == .fileAlreadyExists
            || code == .objectAlreadyExists
    }
}
