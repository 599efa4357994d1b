import Logging
import NIOConcurrencyHelpers
import NIOCore
import Storages
import StoragesHTTP

extension S3Storage {
    /// A multipart upload that was begun.
    struct Multipart: Sendable {
        var name: StorageName
        var uploadID: String
        var nonce: String
    }

    func partPlan(for length: Int64?) throws -> PartPlan {
        let transfers = options.transfers
        let plan = try PartPlan(length, transfers, client.profile)
        // Parts of the size that was asked for are held in memory, however large; parts that only the length makes so
        // large are not.
        guard plan.firstSize <= max(Int64(transfers.memoryBudget), transfers.partSize, transfers.multipartThreshold)
        else {
            throw StorageError(
                .tooLarge,
                "The file needs parts of \(plan.partSize) bytes, of which the server takes at most \(plan.maxParts), "
                    + "and the option transfers.memoryBudget lets \(transfers.memoryBudget) be held in memory. Raise "
                    + "it, or send less."
            )
        }
        return plan
    }

    /// Stores a file in several parts.
    func uploadParts(
        _ first: UploadPart,
        _ parts: UploadParts,
        _ name: StorageName,
        _ call: UploadCall
    ) async throws -> UploadedFile {
        let final = try await nameForParts(name, call.options.ifExists, call.conditions)
        let upload = try await begin(final, creationHeaders(final, call))
        let condition = WriteCondition(call.options.ifExists, by: call.conditions.complete, replacing: call.tag)
        var sha256: [UInt8]?
        let written = try await finishing(upload, condition) {
            let completed = try await send(first, parts, upload, call)
            // Before the file becomes visible: an error that is thrown afterwards would leave it there.
            sha256 = try call.driver.digest()
            return completed
        }
        call.driver.reportEnd()
        return written.file(named: final, byteCount: call.driver.byteCount, sha256: sha256)
    }

    /// Uploads the parts and completes the multipart upload, or aborts it.
    ///
    /// - Parameters:
    ///   - upload: The multipart upload that the parts belong to.
    ///   - condition: The condition of the write.
    ///   - makeParts: When this throws, no part may be on its way any more.
    /// - Returns: The object, as the response describes it.
    func finishing(
        _ upload: Multipart,
        _ condition: WriteCondition?,
        _ makeParts: () async throws -> [CompletedPart]
    ) async throws -> WrittenObject {
        do {
            return try await complete(upload, try await makeParts(), condition)
        } catch {
            await abortShielded(upload)
            throw error
        }
    }

    /// Returns the name for a multipart upload, which has to be known before the first part is sent.
    private func nameForParts(
        _ name: StorageName,
        _ ifExists: IfExists,
        _ conditions: ConditionalWrites
    ) async throws -> StorageName {
        switch ifExists {
        case .replace: return name
        case .fail:
            guard let condition = WriteCondition.absence(by: conditions.complete.absence) else {
                throw cannotFailInParts(name)
            }
            // Rather now than after all has been sent; when the server does not say, the condition decides in the end.
            guard try await presence(of: name) != .taken else { throw refusal(of: condition, name) }
            return name
        case .rename:
            // Where whole files overwrite nothing, multipart uploads must not either: nobody has this name.
            let mayOverwrite = conditions.put.absence.isSupported && !conditions.complete.absence.isSupported
            // Nor is a name tried when the server does not say whether it is taken: the key cannot change any more.
            if !mayOverwrite, try await presence(of: name) == .free { return name }
            return try name.withRandomSuffix()
        }
    }

    /// The knowledge of whether a file has a name.
    enum Presence {
        case taken
        case free
        /// The server does not say: without the permission `s3:ListBucket` a missing file looks like a forbidden one.
        case unknown
    }

    func presence(of name: StorageName) async throws -> Presence {
        do {
            _ = try await head(name)
            return .taken
        } catch let failure as S3Failure where failure.status == 404 {
            return .free
        } catch let failure as S3Failure where failure.status == 403 {
            return .unknown
        }
    }

    // MARK: Steps

    /// Begins a multipart upload.
    ///
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html>
    ///
    /// A task that is cancelled meanwhile waits for the response, as long as an attempt may take: an upload that the
    /// server has begun can only be aborted when its id is known.
    ///
    /// - Parameters:
    ///   - name: The name of the file.
    ///   - headers: The headers that are stored with it.
    func begin(_ name: StorageName, _ headers: HTTPHeaders) async throws -> Multipart {
        try Task.checkCancellation()
        let task = Task { try await initiate(name, headers) }
        return try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            Task {
                // Nobody cancels this task, so it sleeps to the end.
                try? await Task.sleep(for: .seconds(30))
                task.cancel()
            }
        }
    }

    private func initiate(_ name: StorageName, _ headers: HTTPHeaders) async throws -> Multipart {
        var operation = S3Operation("CreateMultipartUpload", .post, key: name.string)
        operation.query = [("uploads", "")]
        operation.headers = headers
        let nonce = UploadNonce.make()
        operation.headers.append(UploadNonce.header, nonce)
        for field in integrity.createMultipartHeaders.fields { operation.headers.append(field.name, field.value) }
        let uploadID = try await client.perform(operation) { try InitiateMultipartUploadResult($0.body).uploadID }
        return Multipart(name: name, uploadID: uploadID, nonce: nonce)
    }

    /// Sends all parts in the order of their numbers, as many at the same time as options and server allow.
    ///
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html>
    ///
    /// When this throws no part is on its way any more.
    private func send(
        _ first: UploadPart,
        _ parts: UploadParts,
        _ upload: Multipart,
        _ call: UploadCall
    ) async throws -> [CompletedPart] {
        try await withThrowingTaskGroup(of: (part: CompletedPart, byteCount: Int64).self) { group in
            var completed: [CompletedPart] = []
            var stored: Int64 = 0
            var running = 0
            let most = min(options.transfers.uploadConcurrency, client.profile.maxPartsAtOnce)
            func take(_ result: (part: CompletedPart, byteCount: Int64)) {
                running -= 1
                completed.append(result.part)
                stored += result.byteCount
                call.options.progress?(
                    TransferProgress(completedBytes: stored, totalBytes: call.driver.totalByteCount)
                )
            }
            var next: UploadPart? = first
            while let part = next {
                if running == most, let result = try await group.next() {
                    take(result)
                }
                group.addTask { (try await self.send(part, upload), part.sourceByteCount) }
                running += 1
                next = try await parts.next()
            }
            while let result = try await group.next() { take(result) }
            return completed
        }
    }

    private func send(_ part: UploadPart, _ upload: Multipart) async throws -> CompletedPart {
        defer { part.release() }
        var operation = S3Operation("UploadPart", .put, key: upload.name.string)
        operation.query = [("partNumber", String(part.number)), ("uploadId", upload.uploadID)]
        operation.body = part.takeBody()
        operation.timeout = nil
        operation.headers = try parameters(for: upload.name).accessHeaders(isSecure: client.isSecure)
        let checksum = try integrity.uploads.map { try Checksum.value($0, of: operation.body) }
        if let checksum { operation.headers.append(checksum.algorithm.headerName, checksum.base64) }
        return try await client.perform(operation) { response in
            _ = try response.written()
            // The entity tag is kept as it is: a server that leaves out the quotes may not accept them, either.
            return CompletedPart(number: part.number, entityTag: response.headers["ETag"] ?? "", checksum: checksum)
        }
    }

    private func complete(
        _ upload: Multipart,
        _ parts: [CompletedPart],
        _ condition: WriteCondition?
    ) async throws -> WrittenObject {
        var operation = S3Operation("CompleteMultipartUpload", .post, key: upload.name.string)
        operation.query = [("uploadId", upload.uploadID)]
        operation.body = HTTPBody(CompleteMultipartUploadBody.make(for: parts))
        operation.signsBody = true
        // A server may take minutes to put many parts together, in which it sends a blank now and then, or nothing.
        operation.timeout = nil
        operation.stallTimeout = .seconds(600)
        operation.budget = .seconds(900)
        operation.headers = try parameters(for: upload.name).accessHeaders(isSecure: client.isSecure)
        operation.headers.append("Content-Type", "application/xml")
        for field in integrity.completeMultipartHeaders.fields { operation.headers.append(field.name, field.value) }
        if let condition { operation.headers.append(condition.field.name, condition.field.value) }
        do {
            let written = try await client.perform(operation) { response in
                WrittenObject(
                    entityTag: try CompleteMultipartUploadResult(response.body).entityTag,
                    versionID: response.headers["x-amz-version-id"]
                )
            }
            return noting(written)
        } catch let failure as S3Failure {
            if let condition, failure.isRefusal(of: condition) {
                guard failure.mayHaveSucceededBefore else { throw refusal(of: condition, upload.name, failure) }
                return try await ownObject(at: upload.name, upload.nonce, condition, failure)
            }
            guard failure.mayHaveSucceededBefore || failure.isAmbiguous || failure.code == .noSuchUpload else {
                throw failure
            }
            // An earlier attempt may have made the file, after which there is no such upload any more.
            let isGone = failure.code == .noSuchUpload && failure.mayHaveSucceededBefore
            let missing = isGone ? outcomeUnknown(upload.name, failure) : nil
            return try await ownObjectAfterSilence(at: upload.name, upload.nonce, failure, otherwise: missing)
        }
    }

    // MARK: Aborting

    /// Aborts a multipart upload although the task may be cancelled; a failure is logged.
    private func abortShielded(_ upload: Multipart) async {
        await Task {
            do {
                try await self.abort(upload.name.string, upload.uploadID, budget: .seconds(30))
            } catch {
                self.options.logger.warning(
                    "A multipart upload could not be aborted; abortUploads(olderThan:) or a bucket rule removes it.",
                    metadata: ["bucket": "\(self.bucketName)", "upload": "\(upload.uploadID)", "error": "\(error)"]
                )
            }
        }.value
    }

    /// Aborts a multipart upload, until the server does not know it any more: a part that was still being sent may
    /// bring it back.
    ///
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html>
    ///
    /// - Parameters:
    ///   - key: The key.
    ///   - uploadID: The upload.
    ///   - budget: The time after which it is not tried again. Default: as for other requests.
    /// - Returns: Whether the upload existed; `false` when the server knew no such upload of such a key from the
    ///   beginning.
    @discardableResult
    func abort(_ key: String, _ uploadID: String, budget: Duration? = nil) async throws -> Bool {
        for attempt in 1...3 {
            var operation = S3Operation("AbortMultipartUpload", .delete, key: key)
            operation.query = [("uploadId", uploadID)]
            operation.headers = parameters(for: StorageName(unchecked: key)).accountHeaders
            operation.budget = budget
            do {
                try await client.perform(operation) { try $0.requireDone() }
            } catch let failure as S3Failure where failure.saysMissing {
                return attempt > 1 || failure.mayHaveSucceededBefore
            }
            if try await !hasUpload(key, uploadID, budget) { return true }
            // A part that is still on its way needs a moment to arrive.
            if attempt < 3 { try await Task.sleep(for: .milliseconds(200 * attempt)) }
        }
        throw StorageError(
            .unavailable,
            "The server still has the upload \(StorageError.quoted(uploadID)) after it was aborted three times. Abort "
                + "it later.",
            name: key,
            storage: label
        )
    }

    private func hasUpload(_ key: String, _ uploadID: String, _ budget: Duration?) async throws -> Bool {
        var operation = S3Operation("ListParts", .get, key: key)
        operation.query = [("max-parts", "1"), ("uploadId", uploadID)]
        operation.headers = parameters(for: StorageName(unchecked: key)).accountHeaders
        operation.budget = budget
        do {
            try await client.perform(operation) { _ = try S3Document.root(of: $0.body, named: ["ListPartsResult"]) }
            return true
        } catch let failure as S3Failure where failure.status == 404 {
            return false
        } catch let failure as S3Failure where [400, 403, 405, 501].contains(failure.status) {
            // Credentials that may abort an upload need not be allowed to list its parts, and not every server can list
            // them.
            return false
        }
    }
}
