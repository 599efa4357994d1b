public import Storages

extension S3Storage {
    /// Opens a certain version of a file, or a part of it, in a bucket that keeps versions.
    ///
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>
    ///
    /// - Parameters:
    ///   - name: The file.
    ///   - version: The id of the version, from ``FileInfo/versionID`` or ``UploadedFile/versionID``; also of a file
    ///     that was deleted or replaced since.
    ///   - options: A range, an entity tag, progress.
    /// - Returns: The contents of the version.
    /// - Throws: As ``open(_:options:)``; the code is ``StorageError/Code/notFound`` when there is no such version.
    public func open(
        _ name: StorageName,
        version: String,
        options: OpenOptions = OpenOptions()
    ) async throws -> StoredContents {
        try await open(name, version: version, reading: options)
    }

    /// Returns what the server knows about a certain version of a file, with one `HEAD` request.
    ///
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html>
    ///
    /// - Parameters:
    ///   - name: The file.
    ///   - version: The id of the version.
    /// - Returns: Size, type, tag, date, disposition, cache control and metadata.
    /// - Throws: As ``info(for:)``.
    public func info(for name: StorageName, version: String) async throws -> FileInfo {
        try name.requireSafe(in: label)
        return try await reporting(name) { try await head(name, version: version).info }
    }

    /// Deletes a certain version of a file for good; one that is not there counts as deleted.
    ///
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html>
    ///
    /// In a bucket that keeps versions ``delete(_:)-([StorageName])`` only hides a file behind a delete marker; this
    /// removes the bytes, or the marker when that is the version.
    ///
    /// - Parameters:
    ///   - name: The file.
    ///   - version: The id of the version.
    /// - Throws: As ``info(for:)``.
    public func delete(_ name: StorageName, version: String) async throws {
        try name.requireSafe(in: label)
        try await reporting(name) {
            do {
                try await client.perform(deletion(of: name, version: version)) { try $0.requireDone() }
            } catch let failure as S3Failure where failure.saysMissing {
                return
            }
        }
    }
}
