import Logging
import NIOConcurrencyHelpers
import NIOCore
import Platform
import Storages
import StoragesHTTP

extension S3Storage {
    /// The most times that a multipart upload is aborted, until the server does not know it any more.
    private static let abortAttempts = 3
    /// The pause for parts that are still on their way when an upload is aborted; longer with each attempt.
    private static let latePartPause = Duration.milliseconds(200)

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

    /// Stores a file by a multipart upload.
    func uploadMultipart(
        _ first: UploadPart,
        then parts: UploadParts,
        to name: StorageName,
        _ call: UploadCall
    ) async throws -> UploadedFile {
        let final = try await multipartName(name, call.options.ifExists, call.conditions)
        let upload = try await begin(final, creationHeaders(final, call))
        let condition = WriteCondition(call.options.ifExists, by: call.conditions.complete, replacing: call.tag)
        var sha256: [UInt8]?
        let written = try await completeOrAbort(upload, on: condition) {
            let completed = try await send(first, then: parts, of: upload, call)
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
    func completeOrAbort(
        _ upload: Multipart,
        on condition: WriteCondition?,
        _ makeParts: () async throws -> [CompletedPart]
    ) async throws -> WrittenObject {
        do {
            return try await complete(upload, try await makeParts(), on: condition)
        } catch {
            await abortShielded(upload)
            throw error
        }
    }

    /// Returns the name for a multipart upload, which has to be known before the first part is sent.
    private func multipartName(
        _ name: StorageName,
        _ ifExists: IfExists,
        _ conditions: ConditionalWrites
    ) async throws -> StorageName {
        switch ifExists {
        case .replace: return name
        case .fail:
            guard let condition = WriteCondition.absence(by: conditions.complete.absence) else {
                throw cannotFailMultipart(name)
            }
            // Rather now than after all has been sent; when the server does not say, the condition decides in the end.
            guard try await presence(of: name) != .taken else { throw refusal(of: condition, name) }
            return name
        case .rename:
            // Where whole files overwrite nothing, multipart uploads must not either: a random suffix is a new name.
            let mayOverwrite = conditions.put.absence.isSupported && !conditions.complete.absence.isSupported
            // Nor is a name tried when the server does not say whether it is taken: the key cannot change any more.
            if !mayOverwrite, try await presence(of: name) == .free { return name }
            return try name.withRandomSuffix()
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
                try? await Task.sleep(for: S3Operation.TimeLimit.shortRequest)
                task.cancel()
            }
        }
    }

    private func initiate(_ name: StorageName, _ headers: HTTPHeaders) async throws -> Multipart {
        let nonce = UploadNonce.make()
        let operation = S3Operation("CreateMultipartUpload", .post, key: name.string)
            .query("uploads")
            .headers(headers)
            .header(UploadNonce.header, nonce)
            .headers(integrity.createMultipartHeaders)
        let uploadID = try await client.perform(operation) { try InitiateMultipartUploadResult($0.body).uploadID }
        return Multipart(name: name, uploadID: uploadID, nonce: nonce)
    }

    /// Sends all parts in the order of their numbers, as many at the same time as options and server allow.
    ///
    /// When this throws no part is on its way any more.
    private func send(
        _ first: UploadPart,
        then parts: UploadParts,
        of upload: Multipart,
        _ call: UploadCall
    ) async throws -> [CompletedPart] {
        var completed: [CompletedPart] = []
        var stored: Int64 = 0
        var first: UploadPart? = first
        try await processConcurrently(
            limit: min(options.transfers.uploadConcurrency, client.profile.maxPartsAtOnce)
        ) {
            if let part = first.take() { return part }
            return try await parts.next()
        } transform: { part in
            (part: try await self.send(part, upload), byteCount: part.sourceByteCount)
        } collect: { result in
            completed.append(result.part)
            stored += result.byteCount
            call.options.progress?(TransferProgress(completedBytes: stored, totalBytes: call.driver.totalByteCount))
        }
        return completed
    }

    private func send(_ part: UploadPart, _ upload: Multipart) async throws -> CompletedPart {
        defer { part.release() }
        return try await uploadPart(part.number, of: upload, part.takeBody())
    }

    /// Uploads a part.
    ///
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html>
    func uploadPart(_ number: Int, of upload: Multipart, _ body: HTTPBody) async throws -> CompletedPart {
        let checksum = try integrity.uploads.map { try Checksum.value($0, of: body) }
        let operation = S3Operation("UploadPart", .put, key: upload.name.string)
            .query("partNumber", String(number))
            .query("uploadId", upload.uploadID)
            .headers(try parameters(for: upload.name).accessHeaders(isSecure: client.isSecure))
            .headers(checksum?.headers ?? [:])
            .body(body)
            .timeout(nil)
        return try await client.perform(operation) { response in
            _ = try response.written()
            return try CompletedPart(number: number, responseTag: response.headers["ETag"], checksum: checksum)
        }
    }

    /// Completes a multipart upload.
    ///
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html>
    private func complete(
        _ upload: Multipart,
        _ parts: [CompletedPart],
        on condition: WriteCondition?
    ) async throws -> WrittenObject {
        // A server may take minutes to assemble many parts, in which it sends a blank now and then, or nothing.
        let operation = S3Operation("CompleteMultipartUpload", .post, key: upload.name.string)
            .query("uploadId", upload.uploadID)
            .headers(try parameters(for: upload.name).accessHeaders(isSecure: client.isSecure))
            .document(CompleteMultipartUploadBody.make(for: parts))
            .headers(integrity.completeMultipartHeaders)
            .header(condition?.field)
            .timeout(nil, stall: S3Operation.TimeLimit.serverWork)
            .budget(S3Operation.TimeLimit.completion)
        do {
            return recordingVersion(of: try await client.perform(operation) { try WrittenObject(completed: $0) })
        } catch let failure as S3Failure {
            if let condition, failure.isRefusal(of: condition) {
                guard failure.mayHaveSucceededBefore else { throw refusal(of: condition, upload.name, failure) }
                return try await objectOfEarlierAttempt(
                    at: upload.name,
                    nonce: upload.nonce,
                    on: condition,
                    after: failure
                )
            }
            guard failure.mayHaveSucceededBefore || failure.isAmbiguous || failure.code == .noSuchUpload else {
                throw failure
            }
            // An earlier attempt may have made the file, after which there is no such upload any more.
            let isGone = failure.code == .noSuchUpload && failure.mayHaveSucceededBefore
            let missing = isGone ? outcomeUnknown(upload.name, failure) : nil
            return try await objectOfLostAttempt(
                at: upload.name,
                nonce: upload.nonce,
                after: failure,
                otherwise: missing
            )
        }
    }

    // MARK: Aborting

    /// Aborts a multipart upload although the task may be cancelled; a failure is logged.
    private func abortShielded(_ upload: Multipart) async {
        await Task {
            do {
                try await self.abort(upload.name.string, uploadID: upload.uploadID, budget: S3Operation.TimeLimit.abort)
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
    func abort(_ key: String, uploadID: String, budget: Duration? = nil) async throws -> Bool {
        let operation = S3Operation("AbortMultipartUpload", .delete, key: key)
            .query("uploadId", uploadID)
            .headers(parameters(for: StorageName(unchecked: key)).accountHeaders)
            .budget(budget)
        for attempt in 1...Self.abortAttempts {
            do {
                try await client.perform(operation) { try $0.requireDone() }
            } catch let failure as S3Failure where failure.saysMissing {
                return attempt > 1 || failure.mayHaveSucceededBefore
            }
            if try await !hasUpload(key, uploadID: uploadID, budget: budget) { return true }
            // A part that is still on its way needs a moment to arrive.
            if attempt < Self.abortAttempts { try await Task.sleep(for: Self.latePartPause * attempt) }
        }
        throw StorageError(
            .unavailable,
            "The server still has the upload \(StorageError.quoted(uploadID)) after it was aborted three times. Abort "
                + "it later.",
            name: key,
            storage: label
        )
    }

    /// Returns whether the server knows a multipart upload.
    ///
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListParts.html>
    private func hasUpload(_ key: String, uploadID: String, budget: Duration?) async throws -> Bool {
        let operation = S3Operation("ListParts", .get, key: key)
            .query("max-parts", "1")
            .query("uploadId", uploadID)
            .headers(parameters(for: StorageName(unchecked: key)).accountHeaders)
            .budget(budget)
        do {
            try await client.perform(operation) { _ = try S3Document.root(of: $0.body, named: ["ListPartsResult"]) }
            return true
        } catch let failure as S3Failure where failure.isNotFound {
            return false
        } catch let failure as S3Failure where [400, 403, 405, 501].contains(failure.status) {
            // Credentials that may abort an upload need not be allowed to list its parts, and not every server can list
            // them.
            return false
        }
    }
}
