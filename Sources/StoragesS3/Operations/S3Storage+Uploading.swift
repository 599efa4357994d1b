import NIOConcurrencyHelpers
import NIOCore
public import Storages
import StoragesHTTP

extension S3Storage {
    /// The most attempts to find a free name.
    private static let renameAttempts = 4

    /// Stores a file, whole or in parts; it is complete or absent, never partial.
    ///
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html>
    ///
    /// Up to ``S3Transfers/multipartThreshold`` one request takes the whole file. Larger ones go in parts, some of them
    /// at the same time, in memory that ``S3Transfers/memoryBudget`` bounds. A source that delivers nothing for
    /// ``S3Transfers/sourceTimeout`` fails the upload. An upload that fails or is cancelled is aborted when its last
    /// part has ended, so no part stays that somebody pays for.
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
    ///   ``StorageError/Code/outcomeUnknown`` when the file may be there although nobody says so,
    ///   ``StorageError/Code/permissionDenied``, ``StorageError/Code/unavailable`` or ``StorageError/Code/timeout``;
    ///   what ``UploadOptions/tap`` throws; `CancellationError`.
    /// - Complexity: O(n) in the byte count, constant memory.
    public func upload(
        _ body: UploadBody,
        to name: StorageName,
        options: UploadOptions
    ) async throws -> UploadedFile {
        try await upload(body, to: name, options, replacing: nil, sourceTimeout: self.options.transfers.sourceTimeout)
    }

    /// Stores a file.
    ///
    /// - Parameters:
    ///   - tag: The entity tag of the one version that is to be replaced. `nil`: as the options say.
    ///   - sourceTimeout: The longest that the body may deliver nothing. `nil`: it has limits of its own.
    func upload(
        _ body: UploadBody,
        to name: StorageName,
        _ options: UploadOptions,
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
                    for: options.ifExists,
                    replacing: tag,
                    mayHaveParts: stored.map { $0 > plan.firstSize } ?? true,
                    name
                ),
                tag: tag,
                driver: driver,
                coding: coding
            )
            let chunks = try EncodedChunks(driver, coding, sourceTimeout: sourceTimeout)
            let parts = UploadParts(chunks, plan, memory, waitLimit: self.options.transfers.waitLimit, name)
            guard let first = try await parts.next() else { return try await put(HTTPBody(), name, call) }
            if first.isLast {
                // Its memory counts until the request is over, not only until this line.
                defer { first.release() }
                return try await put(first.takeBody(), name, call)
            }
            return try await uploadParts(first, parts, name, call)
        }
    }

    // MARK: One request

    private func put(_ body: HTTPBody, _ name: StorageName, _ call: UploadCall) async throws -> UploadedFile {
        let sha256 = try call.driver.digest()
        var body = body
        // What is signed is what was hashed for the report.
        if call.coding == nil, let sha256 { body.knownSHA256 = sha256 }
        let condition = WriteCondition(call.options.ifExists, by: call.conditions.put, replacing: call.tag)
        let isRename = call.options.ifExists == .rename
        var final = name
        if isRename, condition == nil, try await presence(of: name) != .free {
            final = try name.withRandomSuffix()
        }
        for _ in 1...Self.renameAttempts {
            do {
                let written = try await put(body, final, call, condition)
                call.driver.reportEnd()
                return written.file(named: final, byteCount: call.driver.byteCount, sha256: sha256)
            } catch let error as StorageError where error.code == .alreadyExists && isRename {
                final = try name.withRandomSuffix()
            }
        }
        throw StorageError(.alreadyExists, "No free name was found. Choose another name.", name: name, storage: label)
    }

    private func put(
        _ body: HTTPBody,
        _ name: StorageName,
        _ call: UploadCall,
        _ condition: WriteCondition?
    ) async throws -> WrittenObject {
        var operation = S3Operation("PutObject", .put, key: name.string)
        operation.retriesConflicts = true
        operation.body = body
        operation.timeout = nil
        operation.headers = try creationHeaders(name, call)
        for field in try uploadCheck(of: body, name).fields { operation.headers.append(field.name, field.value) }
        guard let condition else {
            do {
                return noting(try await client.perform(operation) { try $0.written() })
            } catch let failure as S3Failure where failure.isUnreadableSuccess {
                throw outcomeUnknown(name, failure)
            }
        }
        operation.headers.append(condition.field.name, condition.field.value)
        let nonce = UploadNonce.make()
        operation.headers.append(UploadNonce.header, nonce)
        return try await recognising(nonce, at: name, condition) {
            noting(try await client.perform(operation) { try $0.written() })
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
        if let further { parameters = parameters.merging(further) }
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
