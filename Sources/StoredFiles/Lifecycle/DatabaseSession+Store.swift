import Logging
public import PostgresModels
public import StorageImages
public import Storages

extension DatabaseSession {
    /// Uploads a file for a field and returns it, ready to be assigned to the property and written with its row.
    ///
    /// ```swift
    /// photo.release = try await database.store(.file("contract.pdf"), named: "contract.pdf", for: \Photo.$release)
    /// try await database.insert(&photo)
    /// ```
    /// The name is new: `<path>/<26 time-ordered random characters>/<sanitised original>`. The bytes are streamed once
    /// in constant memory, and seen on the way: too many of them or the wrong type end the upload and leave nothing.
    ///
    /// The name is noted in the journal before the first byte is sent, on a connection of its own. The row that names
    /// the file claims it; a file that no row has claimed within ``LifecycleConfiguration/claimPeriod``, because the
    /// process died or changed its mind, is deleted by a ``Reaper``.
    ///
    /// Within a transaction the file is removed again when the transaction, or the savepoint around the call, rolls
    /// back, also when the task has been cancelled. When the outcome of the COMMIT is unknown nothing is removed.
    ///
    /// - Parameters:
    ///   - body: The bytes.
    ///   - original: The file's name as the client gave it; hostile input is sanitised or refused.
    ///   - field: The property, for example `\Photo.$release`.
    ///   - contentType: The type to put on the object, as the client gave it. It is believed where the bytes allow it,
    ///     see ``Storages/ContentType/admits(declared:)``, and must be among the field's types, too. Default:
    ///     recognised from the bytes, then from the name.
    ///   - progress: Called as bytes arrive, with the bytes done and the total where it is known.
    /// - Returns: The stored file.
    /// - Throws: ``Storages/StorageError`` with code `.tooLarge` or `.wrongType` when the field's rules refuse it,
    ///   `.invalidName` when nothing is left of the name, `.unknownStorage`, and whatever the storage reports;
    ///   `CancellationError` when the task is cancelled.
    public func store<Owner: FieldModel>(
        _ body: UploadBody,
        named original: String,
        for field: any KeyPath<Owner, StoredFieldValue<StorageFile>> & Sendable,
        contentType: ContentType? = nil,
        progress: ProgressHandler? = nil
    ) async throws -> StorageFile where Owner.Field == StoredField<Owner> {
        let upload = try FieldUpload(
            Owner.field(at: field),
            original,
            attachments,
            contentType: contentType,
            progress: progress
        )
        return try await bound(to: self) { try await upload.run(body, isIndependent: $0) }.file
    }

    /// Uploads an image for a field and returns it with its size, ready to be assigned to the property and written
    /// with its row.
    ///
    /// As `store(_:named:for:)` of a file; besides,
    /// the bytes are probed on their way: the header is checked as soon as it has passed, and libgd decodes the image
    /// as the proof that it is one. What fails is refused before any row can name it.
    ///
    /// - Parameters:
    ///   - body: The bytes.
    ///   - original: The file's name as the client gave it; hostile input is sanitised or refused.
    ///   - field: The property, for example `\Photo.$cover`.
    ///   - contentType: The type to put on the object, believed where the bytes allow it. Default: recognised from the
    ///     bytes.
    ///   - progress: Called as bytes arrive, with the bytes done and the total where it is known.
    /// - Returns: The stored image; its ``StorageImages/StorageImage/pixelSize`` is known.
    /// - Throws: ``StorageImages/ImageError`` when the bytes are no image, or not one that the field's rules accept;
    ///   ``Storages/StorageError`` and `CancellationError` as for a file.
    public func store<Owner: FieldModel>(
        _ body: UploadBody,
        named original: String,
        for field: any KeyPath<Owner, StoredFieldValue<StorageImage>> & Sendable,
        contentType: ContentType? = nil,
        progress: ProgressHandler? = nil
    ) async throws -> StorageImage where Owner.Field == StoredField<Owner> {
        let upload = try FieldUpload(
            Owner.field(at: field),
            original,
            attachments,
            contentType: contentType,
            progress: progress
        )
        let stored = try await bound(to: self) { try await upload.run(body, isIndependent: $0) }
        return StorageImage(
            file: stored.file,
            size: stored.probe.map { .known($0.size) } ?? .unknown,
            recorder: upload.binding.recorder,
            prober: upload.binding.prober
        )
    }
}

/// Makes a new file, and has it removed again when the transaction that it was made in does not commit.
func bound(
    to session: any DatabaseSession,
    _ make: (_ isIndependent: Bool) async throws -> FieldUpload.Stored
) async throws -> FieldUpload.Stored {
    let stored = try await make(session is Transaction || Transaction.current != nil)
    guard let transaction = session as? Transaction else { return stored }
    let compensation = stored.compensation
    guard transaction.onRollback({ await compensation.run() }) else {
        await compensation.run()
        throw DatabaseError(
            code: .closed,
            message: "The transaction ended while a file was being stored in it; the file was removed again."
        )
    }
    return stored
}

extension FieldModel where Field == StoredField<Self> {
    /// The description of the field that a key path names.
    static func field(at keyPath: PartialKeyPath<Self>) throws -> StoredField<Self> {
        guard let field = storedFields.first(where: { $0.keyPath == keyPath }) else {
            throw DatabaseError(
                code: .invalidArgument,
                message: """
                    The key path names no file field of "\(table)"; its fields are \
                    \(storedFields.map { "\"\($0.column)\"" }.joined(separator: ", ")). \
                    A model written by hand lists them in storedFields.
                    """,
                table: table
            )
        }
        return field
    }
}
