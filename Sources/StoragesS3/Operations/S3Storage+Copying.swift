import NIOConcurrencyHelpers
import NIOCore
public import Storages
import StoragesHTTP

extension S3Storage {
    /// The largest object that one request copies.
    private static let largestSingleCopy: Int64 = 5 << 30
    /// The size of the parts in which a larger object is copied.
    private static let copyPartSize: Int64 = 1 << 30

    /// Copies a file within the bucket; the server moves the bytes.
    ///
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html>
    ///
    /// Where the server cannot make a copy depend on the absence of the destination, ``IfExists/fail`` moves the bytes
    /// through this process, and ``IfExists/rename`` adds a random suffix in any case when uploads to the server
    /// overwrite nothing, else it looks whether the name is free before it copies.
    ///
    /// - Parameters:
    ///   - source: The file to copy.
    ///   - destination: The name of the copy.
    ///   - options: The behaviour when the destination is taken; a type, disposition, cache control or metadata given
    ///     here replaces the source's.
    /// - Returns: The final name and size of the copy; a SHA-256 only when the bytes passed through this process.
    /// - Throws: ``StorageError`` with code ``StorageError/Code/notFound`` when there is no source,
    ///   ``StorageError/Code/changedDuringRead`` when it is replaced meanwhile, and as ``upload(_:to:options:)``.
    public func copy(
        _ source: StorageName,
        to destination: StorageName,
        options: UploadOptions
    ) async throws -> UploadedFile {
        try source.requireSafe(in: label)
        try destination.requireSafe(in: label)
        return try await reporting(destination) {
            let head = try await reporting(source) { try await self.head(source) }
            if let limit = options.maxBytes, head.info.byteCount > limit {
                throw StorageError(
                    .tooLarge,
                    "The file has \(head.info.byteCount) bytes, more than the \(limit) allowed. Raise maxBytes.",
                    name: source,
                    storage: label
                )
            }
            let isMultipart = head.info.byteCount > Self.largestSingleCopy && client.profile.copiesParts
            var copy = CopyContext(source: source, head: head, options: options, isMultipart: isMultipart)
            guard options.ifExists != .replace else { return try await copyOnServer(copy, to: destination) }
            // A multipart upload of copied bytes ends with the request that ends every multipart upload.
            let absence = try await knownConditions { $0.absence(ofMultipartCopy: isMultipart) == .unknown }
                .absence(ofMultipartCopy: isMultipart)
            if options.ifExists == .fail, !absence.isSupported {
                return try await copyThroughProcess(copy, to: destination)
            }
            copy.condition = WriteCondition.absence(by: absence)
            return try await copyOnServer(copy, to: destination)
        }
    }

    // MARK: On the server

    private func copyOnServer(_ copy: CopyContext, to destination: StorageName) async throws -> UploadedFile {
        var first = destination
        if copy.options.ifExists == .rename, copy.condition == nil {
            // Where uploads overwrite nothing, copies must not either: a random suffix is a new name.
            let overwritesNothing = conditions.withLockedValue { $0.writes.put.absence.isSupported }
            let isFree = overwritesNothing ? false : try await presence(of: destination) == .free
            if !isFree { first = try destination.withRandomSuffix() }
        }
        let (final, written) = try await withFreeName(
            destination,
            first: first,
            ifExists: copy.options.ifExists
        ) { name in
            copy.isMultipart ? try await copyMultipart(copy, to: name) : try await copyObject(copy, to: name)
        }
        copy.report(copy.byteCount)
        return written.file(named: final, byteCount: copy.byteCount)
    }

    /// Copies an object with one request.
    ///
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html>
    private func copyObject(_ copy: CopyContext, to destination: StorageName) async throws -> WrittenObject {
        // Metadata that cannot be sent again is copied by the server; the rest is sent explicitly, because some servers
        // drop it.
        let keepsMetadata =
            copy.condition == nil && copy.source != destination && copy.options.describesNothing
            && !UserMetadata.isSendable(UserMetadata.fields(in: copy.head.headers))
        // A nonce in the copied metadata would be that of the source's upload.
        let nonce = UploadNonce.make()
        let operation = S3Operation("CopyObject", .put, key: destination.string)
            .headers(
                try parameters(for: destination).copyHeaders(
                    isSecure: client.isSecure,
                    sourceKey: parameters(for: copy.source).encryption?.customerKey
                )
            )
            .header("x-amz-metadata-directive", keepsMetadata ? "COPY" : "REPLACE")
            .headers(keepsMetadata ? [:] : try description(of: copy))
            .header(UploadNonce.header, keepsMetadata ? nil : nonce)
            .headers(sourceHeaders(of: copy))
            .header(copy.condition?.field)
            .timeout(nil, stall: S3Operation.TimeLimit.serverWork)
        do {
            let written = try await client.perform(operation) { try WrittenObject(copied: $0) }
            if written.entityTag != nil { return recordingVersion(of: written) }
            let made = try await head(destination)
            guard made.info.byteCount == copy.byteCount else { throw sourceChanged(copy.source) }
            return made.written
        } catch let failure as S3Failure where failure.isAmbiguous && (copy.condition != nil || !keepsMetadata) {
            return try await objectOfLostAttempt(at: destination, nonce: nonce, after: failure)
        } catch let failure as S3Failure where failure.isUnreadableSuccess {
            throw outcomeUnknown(destination, failure)
        } catch let failure as S3Failure where failure.isConditionConflict {
            return try await objectOfConflict(copy, destination, nonce: nonce, after: failure)
        } catch let failure as S3Failure where failure.isMissingObject {
            throw StorageError(.notFound, "No file has this name. Check the name.", name: copy.source, storage: label)
        }
    }

    /// Returns the object when an earlier attempt has made it, else throws the error of the condition that failed: that
    /// of the source or that of the destination, which fail alike.
    private func objectOfConflict(
        _ copy: CopyContext,
        _ destination: StorageName,
        nonce: String,
        after failure: S3Failure
    ) async throws -> WrittenObject {
        guard let condition = copy.condition else { throw sourceChanged(copy.source) }
        if failure.mayHaveSucceededBefore {
            return try await objectOfEarlierAttempt(at: destination, nonce: nonce, on: condition, after: failure)
        }
        switch try await presence(of: destination) {
        case .taken: break
        case .free: throw sourceChanged(copy.source)
        case .unknown:
            let now = try await head(copy.source).info.entityTag
            guard now == copy.head.info.entityTag else { throw sourceChanged(copy.source) }
        }
        throw refusal(of: condition, destination, failure)
    }

    /// The headers that describe the copy: those of the source, with what was asked for in their place.
    ///
    /// The headers of the source go back to the server as they came.
    private func description(of copy: CopyContext) throws -> HTTPHeaders {
        let (source, options) = (copy.head.headers, copy.options)
        var headers = HTTPHeaders()
        headers["Content-Type"] = options.contentType?.rawValue ?? source["Content-Type"]
        headers["Content-Disposition"] = options.contentDisposition ?? source["Content-Disposition"]
        headers["Cache-Control"] = options.cacheControl ?? source["Cache-Control"]
        for name in ["Content-Encoding", "Content-Language", "Expires"] { headers[name] = source[name] }
        headers.append(
            contentsOf: options.metadata.isEmpty
                ? UserMetadata.fields(in: source)
                : try UserMetadata(encoding: self.options.metadataEncoding).headers(options.metadata)
        )
        return headers
    }

    /// The headers that name the version of the source.
    private func sourceHeaders(of copy: CopyContext) -> HTTPHeaders {
        var headers: HTTPHeaders = ["x-amz-copy-source": client.addressing.copySource(forKey: copy.source.string)]
        headers["x-amz-copy-source-if-match"] = copy.head.info.entityTag
        return headers
    }

    private func sourceChanged(_ source: StorageName) -> StorageError {
        StorageError(
            .changedDuringRead,
            "The file was replaced while it was being copied. Copy it again.",
            name: source,
            storage: label
        )
    }

    // MARK: Multipart

    private func copyMultipart(_ copy: CopyContext, to destination: StorageName) async throws -> WrittenObject {
        var headers = try parameters(for: destination).withoutDescription.creationHeaders(isSecure: client.isSecure)
        headers.append(contentsOf: try description(of: copy))
        let upload = try await begin(destination, headers)
        return try await completeOrAbort(upload, on: copy.condition) {
            var parts: [CompletedPart] = []
            var position: Int64 = 0
            let maxParts = Int64(client.profile.maxParts)
            let size = max(Self.copyPartSize, (copy.byteCount + maxParts - 1) / maxParts)
            while position < copy.byteCount {
                let end = min(position + size, copy.byteCount)
                parts.append(try await copyPart(parts.count + 1, of: copy, range: position..<end, to: upload))
                position = end
                copy.report(position)
            }
            return parts
        }
    }

    /// Copies a range of the source as a part of a multipart upload.
    ///
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html>
    private func copyPart(
        _ number: Int,
        of copy: CopyContext,
        range: Range<Int64>,
        to upload: Multipart
    ) async throws -> CompletedPart {
        let operation = S3Operation("UploadPartCopy", .put, key: upload.name.string)
            .query("partNumber", String(number))
            .query("uploadId", upload.uploadID)
            .headers(
                try parameters(for: upload.name).partCopyHeaders(
                    isSecure: client.isSecure,
                    sourceKey: parameters(for: copy.source).encryption?.customerKey
                )
            )
            .headers(sourceHeaders(of: copy))
            .header("x-amz-copy-source-range", S3Range.header(.bytes(range)))
            .timeout(nil, stall: S3Operation.TimeLimit.serverWork)
        do {
            return try await client.perform(operation) { response in
                try CompletedPart(number: number, responseTag: CopyObjectResult(response.body).entityTag)
            }
        } catch let failure as S3Failure where failure.status == 412 {
            throw sourceChanged(copy.source)
        }
    }

    // MARK: Through this process

    private func copyThroughProcess(_ copy: CopyContext, to destination: StorageName) async throws -> UploadedFile {
        let info = copy.head.info
        let plan = try partPlan(for: info.byteCount)
        // Refused before the source is opened.
        _ = try await conditions(
            of: destination,
            ifExists: copy.options.ifExists,
            replacing: nil,
            mayBeMultipart: info.byteCount > plan.firstSize
        )
        let contents = try await open(copy.source, options: OpenOptions(ifMatch: info.entityTag))
        var options = copy.options
        options.contentType = options.contentType ?? info.contentType
        options.contentDisposition = options.contentDisposition ?? info.contentDisposition
        options.cacheControl = options.cacheControl ?? info.cacheControl
        if options.metadata.isEmpty { options.metadata = info.metadata }
        var parameters = S3ObjectParameters()
        parameters.contentEncoding = copy.head.headers["Content-Encoding"]
        parameters.contentLanguage = copy.head.headers["Content-Language"]
        parameters.expires = copy.head.headers["Expires"].flatMap { HTTPDate.date(from: $0) }
        do {
            return try await applying(parameters).upload(
                .stream(contents, length: info.byteCount),
                to: destination,
                options: options,
                replacing: nil,
                // A download, which has limits of its own; when it waits for a connection, that is not its fault.
                sourceTimeout: nil
            )
        } catch let error as StorageError where error.code == .sourceFailed {
            // Here the source is this storage: its own error explains more than that a source failed.
            throw error.underlying as? StorageError ?? error
        }
    }
}

/// The source of a copy, and how it is copied.
private struct CopyContext {
    let source: StorageName
    /// The version of the source that is copied.
    let head: S3Storage.Head
    let options: UploadOptions
    let isMultipart: Bool
    /// The condition on the destination.
    var condition: WriteCondition?

    var byteCount: Int64 { head.info.byteCount }

    /// Reports the progress.
    func report(_ completed: Int64) {
        options.progress?(TransferProgress(completedBytes: completed, totalBytes: byteCount))
    }
}

extension UploadOptions {
    /// A Boolean value that indicates whether nothing is asked for that a copy would not have from its source.
    fileprivate var describesNothing: Bool {
        contentType == nil && contentDisposition == nil && cacheControl == nil && metadata.isEmpty
    }
}

extension ConditionalWrites {
    fileprivate func absence(ofMultipartCopy isMultipart: Bool) -> Absence { isMultipart ? complete.absence : copy }
}
