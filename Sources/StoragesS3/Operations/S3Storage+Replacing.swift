public import Storages
import StoragesHTTP

extension S3Storage {
    /// Replaces a file, unless it was replaced or deleted since its entity tag was read.
    ///
    /// For files that several processes change: read, change, replace, and begin again when the version is not the one
    /// that was read. Nothing of the others is lost.
    ///
    /// ```swift
    /// let old = try await storage.open(name)
    /// let new = try await change(old)
    /// try await storage.replace(name, ifMatch: old.info.entityTag ?? "", with: .bytes(new))
    /// ```
    ///
    /// - Parameters:
    ///   - name: The file.
    ///   - tag: The entity tag of the version to replace, as ``FileInfo/entityTag`` gave it.
    ///   - body: The new bytes. Read once.
    ///   - options: Type, metadata, limits; ``UploadOptions/ifExists`` does not count.
    /// - Returns: The size, the entity tag and the SHA-256 of the new version.
    /// - Throws: As ``upload(_:to:options:)``; the code is ``StorageError/Code/preconditionFailed`` when the file has
    ///   another entity tag or is gone, and ``StorageError/Code/unsupported``, before anything is read, on a server
    ///   that does not evaluate the condition; some evaluate it with whole files and not with multipart uploads, and
    ///   refuse only what may be a multipart upload.
    @discardableResult
    public func replace(
        _ name: StorageName,
        ifMatch tag: String,
        with body: UploadBody,
        options: UploadOptions = UploadOptions()
    ) async throws -> UploadedFile {
        var options = options
        options.ifExists = .replace
        return try await upload(
            body,
            to: name,
            options: options,
            replacing: tag,
            sourceTimeout: self.options.transfers.sourceTimeout
        )
    }

    /// Deletes a file, unless it was replaced since its entity tag was read.
    ///
    /// - Parameters:
    ///   - name: The file; one that does not exist counts as deleted.
    ///   - tag: The entity tag of the version to delete, as ``FileInfo/entityTag`` gave it.
    /// - Throws: ``StorageError`` with code ``StorageError/Code/preconditionFailed`` when the file has another entity
    ///   tag, ``StorageError/Code/unsupported`` on a server that does not evaluate the condition; as ``info(for:)``.
    public func delete(_ name: StorageName, ifMatch tag: String) async throws {
        try name.requireSafe(in: label)
        try await reporting(name) {
            let condition = try await knownConditions { $0.delete == .unknown }.delete
            guard let field = condition.field(tag), !tag.isEmpty else {
                throw unsupported("delete a file only in a certain version", name)
            }
            try await deleteVersion(of: name, on: field)
        }
    }

    /// Deletes a file on a condition, whether or not the server evaluates it.
    ///
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html>
    func deleteVersion(of name: StorageName, on field: HTTPHeaders.Field) async throws {
        do {
            try await client.perform(deletion(of: name).header(field)) { try $0.requireDone() }
        } catch let failure as S3Failure where failure.saysMissing {
            return
        } catch let failure as S3Failure where failure.isConditionConflict {
            // An earlier attempt may have deleted it, after which another may have been uploaded.
            throw refusal(of: WriteCondition(field: field), name, failure)
        }
    }
}
