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
            let isInParts = head.info.byteCount > Self.largestSingleCopy && client.profile.copiesParts
            // A multipart upload of copied bytes ends with the request that ends every multipart upload.
            let absence =
                options.ifExists == .replace
                ? ConditionalWrites.Absence.unknown
                : try await knownConditions { $0.absence(ofCopyInParts: isInParts) == .unknown }
                    .absence(ofCopyInParts: isInParts)
            if options.ifExists == .fail, !absence.isSupported {
                return try await copyThroughProcess(source, head, destination, options)
            }
            let condition = options.ifExists == .replace ? nil : WriteCondition.absence(by: absence)
            return try await copyOnServer(source, head, destination, options, isInParts, condition)
        }
    }

    // MARK: On the server

    private func copyOnServer(
        _ source: StorageName,
        _ head: Head,
        _ destination: StorageName,
        _ options: UploadOptions,
        _ isInParts: Bool,
        _ condition: WriteCondition?
    ) async throws -> UploadedFile {
        var final = destination
        if options.ifExists == .rename, condition == nil {
            // Where uploads overwrite nothing, copies must not: nobody has such a name.
            let mayOverwrite = conditions.withLockedValue { $0.writes.put.absence.isSupported }
            let isFree = mayOverwrite ? false : try await presence(of: destination) == .free
            if !isFree { final = try destination.withRandomSuffix() }
        }
        for _ in 1...4 {
            do {
                let written =
                    isInParts
                    ? try await copyInParts(source, head, final, options, condition)
                    : try await copyObject(source, head, final, options, condition)
                let count = head.info.byteCount
                options.progress?(TransferProgress(completedBytes: count, totalBytes: count))
                return written.file(named: final, byteCount: count)
            } catch let error as StorageError
                where error.code == .alreadyExists && options.ifExists == .rename
            {
                final = try destination.withRandomSuffix()
            }
        }
        throw StorageError(
            .alreadyExists,
            "No free name was found. Choose another name.",
            name: destination,
            storage: label
        )
    }

    private func copyObject(
        _ source: StorageName,
        _ head: Head,
        _ destination: StorageName,
        _ options: UploadOptions,
        _ condition: WriteCondition?
    ) async throws -> WrittenObject {
        var operation = S3Operation("CopyObject", .put, key: destination.string)
        operation.timeout = nil
        operation.stallTimeout = .seconds(600)
        // What cannot be said again the server takes over; what can is said, since not every server takes it over.
        let isAsIs =
            condition == nil && source != destination && options.describesNothing
            && !UserMetadata.isSendable(UserMetadata.fields(in: head.headers))
        operation.headers = try parameters(for: destination).copyHeaders(
            isSecure: client.isSecure,
            sourceKey: parameters(for: source).encryption?.customerKey
        )
        operation.headers.append("x-amz-metadata-directive", isAsIs ? "COPY" : "REPLACE")
        // Its own name in the metadata would be that of the source's upload.
        let nonce = UploadNonce.make()
        if !isAsIs {
            for field in try description(of: head, options).fields { operation.headers.append(field.name, field.value) }
            operation.headers.append(UploadNonce.header, nonce)
        }
        operation.headers.append("x-amz-copy-source", client.addressing.copySource(forKey: source.string))
        operation.headers["x-amz-copy-source-if-match"] = head.info.entityTag
        if let condition { operation.headers.append(condition.field.name, condition.field.value) }
        do {
            let written = try await client.perform(operation) { response in
                WrittenObject(
                    entityTag: try CopyObjectResult(response.body).entityTag,
                    versionID: response.headers["x-amz-version-id"]
                )
            }
            if written.entityTag != nil { return noting(written) }
            let copy = try await self.head(destination)
            guard copy.info.byteCount == head.info.byteCount else { throw sourceChanged(source) }
            return copy.written
        } catch let failure as S3Failure where failure.isAmbiguous && (condition != nil || !isAsIs) {
            return try await ownObjectAfterSilence(at: destination, nonce, failure)
        } catch let failure as S3Failure where failure.isUnreadableSuccess {
            throw outcomeUnknown(destination, failure)
        } catch let failure as S3Failure where failure.isConditionConflict {
            // The source's condition and the destination's fail alike: what exists shows which it was.
            guard let condition else { throw sourceChanged(source) }
            if failure.mayHaveSucceededBefore {
                return try await ownObject(at: destination, nonce, condition, failure)
            }
            switch try await presence(of: destination) {
            case .taken: break
            case .free: throw sourceChanged(source)
            case .unknown:
                let now = try await self.head(source).info.entityTag
                guard now == head.info.entityTag else { throw sourceChanged(source) }
            }
            throw refusal(of: condition, destination, failure)
        } catch let failure as S3Failure where failure.status == 404 && failure.code != .noSuchBucket {
            throw StorageError(.notFound, "No file has this name. Check the name.", name: source, storage: label)
        }
    }

    /// The headers that describe the copy: those of the source, with what was asked for in their place.
    ///
    /// The headers of the source go back to the server as they came, whoever wrote them.
    private func description(of head: Head, _ options: UploadOptions) throws -> HTTPHeaders {
        var headers = HTTPHeaders()
        headers["Content-Type"] = options.contentType?.rawValue ?? head.headers["Content-Type"]
        headers["Content-Disposition"] = options.contentDisposition ?? head.headers["Content-Disposition"]
        headers["Cache-Control"] = options.cacheControl ?? head.headers["Cache-Control"]
        for name in ["Content-Encoding", "Content-Language", "Expires"] { headers[name] = head.headers[name] }
        let metadata =
            options.metadata.isEmpty
            ? UserMetadata.fields(in: head.headers)
            : try UserMetadata(encoding: self.options.metadataEncoding).headers(options.metadata)
        for field in metadata.fields { headers.append(field.name, field.value) }
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

    // MARK: In parts

    private func copyInParts(
        _ source: StorageName,
        _ head: Head,
        _ destination: StorageName,
        _ options: UploadOptions,
        _ condition: WriteCondition?
    ) async throws -> WrittenObject {
        var headers = try parameters(for: destination).withoutDescription.creationHeaders(isSecure: client.isSecure)
        for field in try description(of: head, options).fields { headers.append(field.name, field.value) }
        let upload = try await begin(destination, headers)
        return try await finishing(upload, condition) {
            var parts: [CompletedPart] = []
            var position: Int64 = 0
            let maxParts = Int64(client.profile.maxParts)
            let size = max(Self.copyPartSize, (head.info.byteCount + maxParts - 1) / maxParts)
            while position < head.info.byteCount {
                let end = min(position + size, head.info.byteCount)
                parts.append(try await copyPart(parts.count + 1, position..<end, source, head, upload))
                position = end
                options.progress?(TransferProgress(completedBytes: position, totalBytes: head.info.byteCount))
            }
            return parts
        }
    }

    private func copyPart(
        _ number: Int,
        _ range: Range<Int64>,
        _ source: StorageName,
        _ head: Head,
        _ upload: Multipart
    ) async throws -> CompletedPart {
        var operation = S3Operation("UploadPartCopy", .put, key: upload.name.string)
        operation.query = [("partNumber", String(number)), ("uploadId", upload.uploadID)]
        operation.timeout = nil
        operation.stallTimeout = .seconds(600)
        operation.headers = try parameters(for: upload.name).partCopyHeaders(
            isSecure: client.isSecure,
            sourceKey: parameters(for: source).encryption?.customerKey
        )
        operation.headers.append("x-amz-copy-source", client.addressing.copySource(forKey: source.string))
        operation.headers.append("x-amz-copy-source-range", "bytes=\(range.lowerBound)-\(range.upperBound - 1)")
        operation.headers["x-amz-copy-source-if-match"] = head.info.entityTag
        do {
            let tag = try await client.perform(operation) { response in
                guard let tag = try CopyObjectResult(response.body).entityTag else {
                    throw UnusableDocument.unreadable("the response to a part has no entity tag")
                }
                return tag
            }
            return CompletedPart(number: number, entityTag: tag, checksum: nil)
        } catch let failure as S3Failure where failure.status == 412 {
            throw sourceChanged(source)
        }
    }

    // MARK: Through this process

    private func copyThroughProcess(
        _ source: StorageName,
        _ head: Head,
        _ destination: StorageName,
        _ options: UploadOptions
    ) async throws -> UploadedFile {
        let plan = try partPlan(for: head.info.byteCount)
        // Refused before the source is opened.
        _ = try await conditions(
            for: options.ifExists,
            replacing: nil,
            mayHaveParts: head.info.byteCount > plan.firstSize,
            destination
        )
        let contents = try await open(source, options: OpenOptions(ifMatch: head.info.entityTag))
        var options = options
        options.contentType = options.contentType ?? head.info.contentType
        options.contentDisposition = options.contentDisposition ?? head.info.contentDisposition
        options.cacheControl = options.cacheControl ?? head.info.cacheControl
        if options.metadata.isEmpty { options.metadata = head.info.metadata }
        var further = S3ObjectParameters()
        further.contentEncoding = head.headers["Content-Encoding"]
        further.contentLanguage = head.headers["Content-Language"]
        further.expires = head.headers["Expires"].flatMap { HTTPDate.date(from: $0) }
        do {
            return try await applying(further).upload(
                .stream(contents, length: head.info.byteCount),
                to: destination,
                options,
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

extension UploadOptions {
    /// A Boolean value that indicates whether nothing is asked for that a copy would not have from its source.
    fileprivate var describesNothing: Bool {
        contentType == nil && contentDisposition == nil && cacheControl == nil && metadata.isEmpty
    }
}

extension ConditionalWrites {
    fileprivate func absence(ofCopyInParts isInParts: Bool) -> Absence { isInParts ? complete.absence : copy }
}
