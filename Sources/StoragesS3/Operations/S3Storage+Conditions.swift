import NIOConcurrencyHelpers
import NIOCore
import Storages
import StoragesHTTP

extension S3Storage {
    /// Returns the conditional writes that the server supports for an upload, looked up before anything is read.
    ///
    /// - Parameters:
    ///   - name: The file.
    ///   - ifExists: The behaviour when the name is taken.
    ///   - tag: The entity tag of the one version that is to be replaced.
    ///   - mayBeMultipart: Whether it may be a multipart upload, which ends with another request than that of a whole
    ///     file.
    /// - Throws: ``StorageError`` with code `unsupported` where the server does not support the condition.
    func conditions(
        of name: StorageName,
        ifExists: IfExists,
        replacing tag: String?,
        mayBeMultipart: Bool
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
                $0.put.tag == .unknown || mayBeMultipart && $0.complete.tag == .unknown
            }
            guard known.put.tag.isSupported else {
                throw unsupported("replace a file only in a certain version", name)
            }
            guard known.complete.tag.isSupported || !mayBeMultipart else {
                throw multipartUnsupported(
                    dependingOn: "the version of the file",
                    alternative: "change it another way",
                    name
                )
            }
            return known
        }
        switch ifExists {
        case .replace:
            return conditions.withLockedValue { $0.writes }
        case .fail:
            let known = try await knownConditions {
                $0.put.absence == .unknown || mayBeMultipart && $0.complete.absence == .unknown
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
            guard known.complete.absence.isSupported || !mayBeMultipart else { throw cannotFailMultipart(name) }
            return known
        case .rename:
            return try await knownConditions {
                $0.put.absence == .unknown || mayBeMultipart && $0.complete.absence == .unknown
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
            let versioning = try await fetchVersioning()
            known = conditions.withLockedValue { conditions in
                if conditions.needsVersioning { conditions.learn(versioning) }
                return conditions
            }
        }
        guard !known.isTried, isMissing(known.writes) else { return known.writes }
        return try await probedConditions()
    }

    /// Records what the response to a write shows about the versioning of the bucket.
    func recordingVersion(of written: WrittenObject) -> WrittenObject {
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

    func multipartUnsupported(
        dependingOn what: String,
        alternative: String,
        _ name: StorageName
    ) -> StorageError {
        StorageError(
            .unsupported,
            "This server cannot make a multipart upload depend on \(what). Announce a length up to the option "
                + "transfers.multipartThreshold, or \(alternative).",
            name: name,
            storage: label,
            underlying: WriteConditionUnsupported()
        )
    }

    func cannotFailMultipart(_ name: StorageName) -> StorageError {
        multipartUnsupported(
            dependingOn: "the absence of the file",
            alternative: "upload with .rename or .replace",
            name
        )
    }

    /// Performs a conditional write; when the response to an attempt was lost, the nonce in the metadata shows whether
    /// the object is the one of this write.
    ///
    /// - Parameters:
    ///   - name: The object.
    ///   - condition: The condition of the write.
    ///   - nonce: The value in the object's metadata that identifies the write.
    ///   - write: The write, retries included.
    func writeConditionally(
        to name: StorageName,
        on condition: WriteCondition,
        nonce: String,
        _ write: () async throws -> WrittenObject
    ) async throws -> WrittenObject {
        do {
            return try await write()
        } catch let failure as S3Failure where failure.isRefusal(of: condition) {
            guard failure.mayHaveSucceededBefore else { throw refusal(of: condition, name, failure) }
            return try await objectOfEarlierAttempt(at: name, nonce: nonce, on: condition, after: failure)
        } catch let failure as S3Failure where failure.isAmbiguous || failure.mayHaveSucceededBefore {
            return try await objectOfLostAttempt(at: name, nonce: nonce, after: failure)
        }
    }

    /// Returns the object for which a write was refused, when an earlier attempt of the same write has made it.
    ///
    /// - Throws: The error of the refusal when the object is another's.
    func objectOfEarlierAttempt(
        at name: StorageName,
        nonce: String,
        on condition: WriteCondition,
        after failure: S3Failure
    ) async throws -> WrittenObject {
        let head: Head
        do {
            head = try await self.head(name)
        } catch let notFound as S3Failure where notFound.isNotFound && condition.wantsVersion {
            throw refusal(of: condition, name, failure)
        } catch is S3Failure {
            throw outcomeUnknown(name, failure)
        }
        guard head.nonce == nonce else { throw refusal(of: condition, name, failure) }
        return head.written
    }

    /// Returns the object of a write whose attempts got no response, when one of them has made it.
    ///
    /// - Parameters:
    ///   - name: The object.
    ///   - nonce: The value in the object's metadata that identifies the upload.
    ///   - failure: The failure in place of a response.
    ///   - missing: The error to throw when the object is not this upload's. Default: the failure.
    func objectOfLostAttempt(
        at name: StorageName,
        nonce: String,
        after failure: S3Failure,
        otherwise missing: StorageError? = nil
    ) async throws -> WrittenObject {
        do {
            let head = try await self.head(name)
            if head.nonce == nonce { return head.written }
        } catch let notFound as S3Failure where notFound.isNotFound {
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
