import NIOConcurrencyHelpers
import NIOCore
public import Storages

extension S3Storage {
    /// How often a free name is looked for.
    private static let renameAttempts = 4

    /// Stores a file, whole or in parts; it is complete or absent, never partial.
    ///
    /// Up to ``S3Transfers/multipartThreshold`` one request takes the whole file. Larger ones go in parts, some of them at
    /// the same time, in memory that ``S3Transfers/memoryBudget`` bounds. An upload that fails or is cancelled is aborted
    /// when its last part has ended, so no part stays that somebody pays for.
    ///
    /// ``IfExists/fail`` and ``IfExists/rename`` make the write depend on the absence of the file. On a server that cannot do
    /// that, ``IfExists/fail`` is refused, and ``IfExists/rename`` looks whether the name is free before it writes, so that two
    /// uploads of one name at the same time may overwrite each other: give files names of their own there. What an unknown
    /// server can do is found out with the first such upload.
    ///
    /// - Parameters:
    ///   - body: The bytes. Read once.
    ///   - name: Where to store it.
    ///   - options: What to do when the name is taken, limits, metadata.
    /// - Returns: The final name, the size, the tag and the SHA-256.
    /// - Throws: ``StorageError`` with code ``StorageError/Code/alreadyExists``, ``StorageError/Code/tooLarge``,
    ///   ``StorageError/Code/sourceFailed``, ``StorageError/Code/unsupported`` before anything is read,
    ///   ``StorageError/Code/outcomeUnknown`` when the file may be there although nobody says so,
    ///   ``StorageError/Code/permissionDenied``, ``StorageError/Code/unavailable`` or ``StorageError/Code/timeout``; what
    ///   ``UploadOptions/tap`` throws; `CancellationError`.
    /// - Complexity: O(n) in the byte count, constant memory.
    public func upload(
        _ body: UploadBody,
        to name: StorageName,
        options: UploadOptions
    ) async throws -> UploadedFile {
        try name.requireSafe(in: label)
        return try await reporting(name) {
            let conditions = try await conditions(for: options.ifExists, name)
            let driver = try BodyDriver(body, options: options, name: name, storage: label)
            // The length of a file is known once it is open, so its first part comes before the decision.
            let length = try await body.measuredLength()
            let plan = try partPlan(for: length)
            if options.ifExists == .fail, !conditions.onComplete.isSupported,
                length.map({ $0 > plan.firstSize }) ?? true
            {
                throw cannotFailInParts(name)
            }
            let parts = UploadParts(driver, plan, memory, name)
            guard let first = try await parts.next() else {
                return try await put(HTTPBody(), name, options, conditions, driver)
            }
            if first.isLast {
                // Its memory counts until the request is over, not only until this line.
                defer { first.giveBack() }
                return try await put(first.takeBody(), name, options, conditions, driver)
            }
            return try await uploadParts(first, parts, name, options, conditions, driver)
        }
    }

    // MARK: Conditions

    /// What makes a write depend on the absence of the file, looked up before anything is read.
    private func conditions(for ifExists: IfExists, _ name: StorageName) async throws -> ConditionalWrites {
        var known = conditions.withLockedValue { $0 }
        guard ifExists != .replace else { return known }
        if known.onPut == .unknown { known = try await probedConditions() }
        guard ifExists == .rename || known.onPut.isSupported else {
            throw StorageError(
                .unsupported,
                "This server cannot make an upload depend on the absence of the file. Upload with .rename or .replace; if it "
                    + "can, say so in the option server.",
                name: name,
                storage: label
            )
        }
        return known
    }

    // MARK: One request

    private func put(
        _ body: HTTPBody,
        _ name: StorageName,
        _ options: UploadOptions,
        _ conditions: ConditionalWrites,
        _ driver: BodyDriver
    ) async throws -> UploadedFile {
        let sha256 = try driver.digest()
        var final = name
        if options.ifExists == .rename, !conditions.onPut.isSupported, try await isTaken(name) {
            final = try name.withRandomSuffix()
        }
        for attempt in 1...Self.renameAttempts {
            do {
                let tag = try await put(body, final, options, conditions)
                driver.reportEnd()
                return UploadedFile(name: final, byteCount: driver.byteCount, entityTag: tag, sha256: sha256)
            } catch let error as StorageError
                where error.code == .alreadyExists && options.ifExists == .rename && attempt < Self.renameAttempts
            {
                final = try name.withRandomSuffix()
            }
        }
        throw StorageError(.alreadyExists, "No free name was found. Choose another name.", name: name, storage: label)
    }

    private func put(
        _ body: HTTPBody,
        _ name: StorageName,
        _ options: UploadOptions,
        _ conditions: ConditionalWrites
    ) async throws -> String? {
        var operation = S3Operation("PutObject", .put, key: name.string)
        operation.body = body
        operation.timeout = nil
        operation.headers = try creationParameters(name, options)
            .creationHeaders(isSecure: client.isSecure, self.options.metadataEncoding)
        for field in try uploadCheck(of: body, name).fields { operation.headers.append(field.name, field.value) }
        guard options.ifExists != .replace, let condition = conditions.onPut.field else {
            return try await client.perform(operation) { $0.headers["ETag"] }
        }
        operation.headers.append(condition.name, condition.value)
        let nonce = UploadNonce.make()
        operation.headers.append(UploadNonce.header, nonce)
        do {
            return try await client.perform(operation) { $0.headers["ETag"] }
        } catch let failure as S3Failure where failure.isExisting {
            guard failure.mayHaveSucceededBefore else { throw alreadyExists(name, failure) }
            return try await ownTag(of: name, nonce, failure)
        } catch let failure as S3Failure where failure.isAmbiguous || failure.mayHaveSucceededBefore {
            // Nobody else has a reason to look: whether the file is there decides.
            return try await ownTagAfterSilence(of: name, nonce, failure)
        }
    }

    private func uploadCheck(of body: HTTPBody, _ name: StorageName) throws -> HTTPHeaders {
        if integrity.uploads == nil, parameters(for: name).requiresChecksum {
            return try IntegrityPolicy.contentMD5(of: body)
        }
        return try integrity.uploadHeaders(for: body)
    }

    /// The tag of an object that was refused because it exists, when it is the one an earlier attempt has made.
    func ownTag(of name: StorageName, _ nonce: String, _ failure: S3Failure) async throws -> String? {
        let head: Head
        do {
            head = try await self.head(name)
        } catch is S3Failure {
            throw outcomeUnknown(name, failure)
        }
        guard head.nonce == nonce else { throw alreadyExists(name, failure) }
        return head.info.entityTag
    }

    /// The same when no answer came at all.
    ///
    /// - Parameters:
    ///   - name: The object.
    ///   - nonce: What the upload calls itself.
    ///   - failure: What came instead of an answer.
    ///   - missing: What is thrown when the object is not this upload's. Default: the failure.
    func ownTagAfterSilence(
        of name: StorageName,
        _ nonce: String,
        _ failure: S3Failure,
        otherwise missing: StorageError? = nil
    ) async throws -> String? {
        do {
            let head = try await self.head(name)
            if head.nonce == nonce { return head.info.entityTag }
        } catch let answer as S3Failure where answer.status == 404 {
            // It may still arrive, so the failure is the answer.
        } catch is S3Failure {
            throw outcomeUnknown(name, failure)
        }
        if let missing { throw missing }
        throw failure
    }

    func alreadyExists(_ name: StorageName, _ failure: S3Failure) -> StorageError {
        StorageError(
            .alreadyExists,
            "A file has this name already. Choose another name, or upload with .rename or .replace.",
            name: name,
            storage: label,
            underlying: failure.details
        )
    }

    func outcomeUnknown(_ name: StorageName, _ failure: S3Failure) -> StorageError {
        StorageError(
            .outcomeUnknown,
            "The connection was lost before the server said whether the file is stored. Look for it, or upload again.",
            name: name,
            storage: label,
            underlying: failure.details
        )
    }

    // MARK: Parameters

    func parameters(for name: StorageName) -> S3ObjectParameters {
        let own = options.objectParametersForName.map { options.objectParameters.merging($0(name)) }
        return own ?? options.objectParameters
    }

    /// What is stored with a new object.
    func creationParameters(_ name: StorageName, _ options: UploadOptions) -> S3ObjectParameters {
        var asked = S3ObjectParameters()
        asked.contentType = options.contentType?.rawValue
        asked.contentDisposition = options.contentDisposition
        asked.cacheControl = options.cacheControl
        asked.metadata = options.metadata
        var parameters = parameters(for: name).merging(asked)
        if parameters.contentType == nil {
            let derived = ContentType(fileExtension: name.fileExtension) ?? .octetStream
            parameters.contentType = derived.rawValue
        }
        return parameters
    }
}

extension S3Failure {
    /// Whether the server refused because the object is there.
    var isExisting: Bool {
        status == 412 || status == 304 || code == "PreconditionFailed" || code == "FileAlreadyExists"
            || code == "ObjectAlreadyExists"
    }
}
