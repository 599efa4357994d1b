import NIOConcurrencyHelpers
import NIOCore
public import Storages
import StoragesHTTP

extension S3Storage {
    /// Stores a file, with one request or by a multipart upload; it is complete or absent, never partial.
    ///
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html>
    ///
    /// Up to ``S3Transfers/multipartThreshold`` one request takes the whole file. Larger ones are uploaded by multipart
    /// upload, several parts at the same time, in memory that ``S3Transfers/memoryBudget`` bounds. A source that
    /// delivers nothing for ``S3Transfers/sourceTimeout`` fails the upload. A multipart upload that fails or is
    /// cancelled is aborted when its last part has ended, so no part stays stored and billed.
    ///
    /// ``IfExists/fail`` and ``IfExists/rename`` make the write depend on the absence of the file. On a server that
    /// cannot do that, in this bucket and for this size, ``IfExists/fail`` is refused, and ``IfExists/rename`` looks
    /// whether the name is free before it writes, so that two uploads of one name at the same time may overwrite each
    /// other: give files names of their own there. Where it can do that for whole files only, a multipart upload gets a
    /// random suffix in any case. What an unknown server can do is found out with the first such upload.
    ///
    /// Credentials without the permission `s3:ListBucket` are not told whether a name is free: where
    /// ``IfExists/rename`` has to look, the file gets another name then.
    ///
    /// - Parameters:
    ///   - body: The bytes. Read once.
    ///   - name: The name to store it under.
    ///   - options: The behaviour when the name is taken, limits, metadata.
    /// - Returns: The final name, the size, the entity tag and the SHA-256.
    /// - Throws: ``StorageError`` with code ``StorageError/Code/alreadyExists``, ``StorageError/Code/tooLarge``,
    ///   ``StorageError/Code/sourceFailed``, ``StorageError/Code/unsupported`` before anything is read,
    ///   ``StorageError/Code/outcomeUnknown`` when no response says whether the file is stored,
    ///   ``StorageError/Code/permissionDenied``, ``StorageError/Code/unavailable`` or ``StorageError/Code/timeout``;
    ///   what ``UploadOptions/tap`` throws; `CancellationError`.
    /// - Complexity: O(n) in the byte count, constant memory.
    public func upload(
        _ body: UploadBody,
        to name: StorageName,
        options: UploadOptions
    ) async throws -> UploadedFile {
        try await upload(
            body,
            to: name,
            options: options,
            replacing: nil,
            sourceTimeout: self.options.transfers.sourceTimeout
        )
    }

    /// Stores a file.
    ///
    /// - Parameters:
    ///   - tag: The entity tag of the one version that is to be replaced. `nil`: as the options say.
    ///   - sourceTimeout: The longest that the body may deliver nothing. `nil`: it has limits of its own.
    func upload(
        _ body: UploadBody,
        to name: StorageName,
        options: UploadOptions,
        replacing tag: String?,
        sourceTimeout: Duration?
    ) async throws -> UploadedFile {
        try name.requireSafe(in: label)
        return try await reporting(name) {
            let driver = try BodyDriver(body, options: options, name: name, storage: label)
            let coding = self.options.compression?.coding(for: creationParameters(name, options))
            // The length of a file is known once it is open, so its first part comes before the decision.
            let length = try await body.measuredLength()
            let stored = length.map { coding?.largestEncodedSize(of: $0) ?? $0 }
            let plan = try partPlan(for: stored)
            let call = UploadCall(
                options: options,
                conditions: try await conditions(
                    of: name,
                    ifExists: options.ifExists,
                    replacing: tag,
                    mayBeMultipart: stored.map { $0 > plan.firstSize } ?? true
                ),
                tag: tag,
                driver: driver,
                coding: coding
            )
            let chunks = try EncodedChunks(driver, coding, sourceTimeout: sourceTimeout)
            let waitLimit = self.options.transfers.waitLimit
            let parts = UploadParts(chunks, of: name, plan: plan, memory: partMemory, waitLimit: waitLimit)
            guard let first = try await parts.next() else { return try await put(HTTPBody(), to: name, call) }
            if first.isLast {
                // Its memory counts until the request is over, not only until this line.
                defer { first.release() }
                return try await put(first.takeBody(), to: name, call)
            }
            return try await uploadMultipart(first, then: parts, to: name, call)
        }
    }

    // MARK: One request

    private func put(_ body: HTTPBody, to name: StorageName, _ call: UploadCall) async throws -> UploadedFile {
        let sha256 = try call.driver.digest()
        var body = body
        // What is signed is what was hashed for the report.
        if call.coding == nil, let sha256 { body.knownSHA256 = sha256 }
        let whole = body
        let condition = WriteCondition(call.options.ifExists, by: call.conditions.put, replacing: call.tag)
        var first = name
        if call.options.ifExists == .rename, condition == nil, try await presence(of: name) != .free {
            first = try name.withRandomSuffix()
        }
        let (final, written) = try await withFreeName(name, first: first, ifExists: call.options.ifExists) { name in
            try await put(whole, to: name, on: condition, call)
        }
        call.driver.reportEnd()
        return written.file(named: final, byteCount: call.driver.byteCount, sha256: sha256)
    }

    /// Sends a file with one request.
    ///
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html>
    private func put(
        _ body: HTTPBody,
        to name: StorageName,
        on condition: WriteCondition?,
        _ call: UploadCall
    ) async throws -> WrittenObject {
        let operation = S3Operation("PutObject", .put, key: name.string)
            .headers(try creationHeaders(name, call))
            .headers(try uploadCheck(of: body, name))
            .body(body)
            .timeout(nil)
            .retryingConflicts()
        guard let condition else {
            do {
                return recordingVersion(of: try await client.perform(operation) { try $0.written() })
            } catch let failure as S3Failure where failure.isUnreadableSuccess {
                throw outcomeUnknown(name, failure)
            }
        }
        let nonce = UploadNonce.make()
        let conditional = operation.header(condition.field).header(UploadNonce.header, nonce)
        return try await writeConditionally(to: name, on: condition, nonce: nonce) {
            recordingVersion(of: try await client.perform(conditional) { try $0.written() })
        }
    }

    private func uploadCheck(of body: HTTPBody, _ name: StorageName) throws -> HTTPHeaders {
        if integrity.uploads == nil, parameters(for: name).requiresChecksum {
            return try IntegrityPolicy.contentMD5(of: body)
        }
        return try integrity.uploadHeaders(for: body)
    }

    // MARK: Parameters

    func parameters(for name: StorageName) -> S3ObjectParameters {
        var parameters = options.objectParameters
        if let own = options.objectParametersForName { parameters = parameters.merging(own(name)) }
        if let parameterOverrides { parameters = parameters.merging(parameterOverrides) }
        return parameters
    }

    /// The headers of the request that creates an object from an upload.
    func creationHeaders(_ name: StorageName, _ call: UploadCall) throws -> HTTPHeaders {
        var parameters = creationParameters(name, call.options)
        if let coding = call.coding { parameters.contentEncoding = coding.name }
        return try parameters.creationHeaders(isSecure: client.isSecure, options.metadataEncoding)
    }

    /// The parameters that are stored with a new object.
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

/// The options of an upload, and what was found out for it.
///
/// Used by one task; not `Sendable`.
struct UploadCall {
    let options: UploadOptions
    /// The conditional writes that the server supports.
    let conditions: ConditionalWrites
    /// The entity tag of the one version that is to be replaced.
    let tag: String?
    let driver: BodyDriver
    /// The content coding in which the bytes are stored; `nil` to store them unchanged.
    let coding: (any ContentCoding)?
}
