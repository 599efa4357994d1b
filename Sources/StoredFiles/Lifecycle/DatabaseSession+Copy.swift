public import PostgresModels
public import StorageImages
public import Storages

extension DatabaseSession {
    /// Gives a field a file of its own with the bytes of another file: what a second row needs, because a file belongs
    /// to one row.
    ///
    /// ```swift
    /// second.release = try await database.copy(first.release, for: \Photo.$release)
    /// ```
    /// The copy is noted in the journal, claimed and compensated like a stored file. Within one storage its server does
    /// the copying where it can. The rules of the field hold for the copy, and are looked at before anything is
    /// written; for the type its beginning is read, for an image the whole file is probed.
    ///
    /// - Parameters:
    ///   - file: The file; `nil` gives `nil`.
    ///   - field: The property that the copy is for.
    ///   - original: The name to make the copy's name of. Default: the last component of the file's name.
    /// - Returns: The copy.
    /// - Throws: ``Storages/StorageError`` with code `.notFound` when the file is gone, `.unsupported` when it
    ///   is stored in a coding and the field has types or another storage, and as for `store(_:named:for:)` of a file.
    public func copy<Owner: FieldModel>(
        _ file: StorageFile?,
        for field: any KeyPath<Owner, StoredFieldValue<StorageFile>> & Sendable,
        named original: String? = nil
    ) async throws -> StorageFile? where Owner.Field == StoredField<Owner> {
        guard let file else { return nil }
        let upload = try FieldUpload(Owner.field(at: field), original ?? file.name.lastComponent, attachments)
        return try await bound(to: self) { try await upload.copy(file, isIndependent: $0) }.file
    }

    /// Gives a field an image of its own with the bytes of another image, and its size where that is known.
    ///
    /// - Parameters:
    ///   - image: The image; `nil` gives `nil`.
    ///   - field: The property that the copy is for.
    ///   - original: The name to make the copy's name of. Default: the last component of the image's name.
    /// - Returns: The copy.
    /// - Throws: As for a file.
    public func copy<Owner: FieldModel>(
        _ image: StorageImage?,
        for field: any KeyPath<Owner, StoredFieldValue<StorageImage>> & Sendable,
        named original: String? = nil
    ) async throws -> StorageImage? where Owner.Field == StoredField<Owner> {
        guard let image else { return nil }
        let upload = try FieldUpload(Owner.field(at: field), original ?? image.name.lastComponent, attachments)
        let stored = try await bound(to: self) { try await upload.copy(image.file, isIndependent: $0) }
        return StorageImage(
            file: stored.file,
            size: stored.probe.map { .known($0.size) } ?? image.sizeState,
            recorder: upload.binding.recorder,
            prober: upload.binding.prober
        )
    }
}
