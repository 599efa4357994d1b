public import PostgresModels
public import StorageImages
public import Storages

extension RowEncoder {
    /// Writes the file of a field into the next column.
    ///
    /// - Parameters:
    ///   - file: The file, or `nil` for NULL.
    ///   - field: The field whose column comes next.
    /// - Throws: ``Storages/StorageError`` with code `.unknownStorage` when the file lives in another storage than the
    ///   field's: the row keeps the name alone, so it would come back as a file that is not there; with code `.expired`
    ///   when the file was stored longer than ``LifecycleConfiguration/claimPeriod`` ago and no row was written with it
    ///   meanwhile, because it may have been deleted.
    public mutating func encode<Owner>(_ file: StorageFile?, for field: StoredField<Owner>) throws {
        if let file { try check(file, belongsTo: field) }
        try encode(file?.name.string)
    }

    /// Writes the image of a field into the next columns: its name, then its width and height when the field caches
    /// them.
    ///
    /// - Parameters:
    ///   - image: The image, or `nil` for NULL.
    ///   - field: The field whose columns come next.
    /// - Throws: As ``encode(_:for:)-(StorageFile?,_)``.
    public mutating func encode<Owner>(_ image: StorageImage?, for field: StoredField<Owner>) throws {
        if let image { try check(image.file, belongsTo: field) }
        try encode(image?.name.string)
        guard field.sizeColumns != nil else { return }
        let size = image?.sizeState
        try encode(size?.width.map { Int32(clamping: $0) })
        try encode(size?.height.map { Int32(clamping: $0) })
    }

    private func check<Owner>(_ file: StorageFile, belongsTo field: StoredField<Owner>) throws {
        try requireStorage(of: file, field)
        guard file.receipt?.write() == false else { return }
        throw StorageError(
            .expired,
            """
            No row has named the file for the column "\(field.column)" of "\(Owner.table)" within the claim period \
            after it was stored, so it may have been deleted. Store it again, and write the row sooner.
            """,
            name: file.name,
            storage: file.storage.label
        )
    }

    private func requireStorage<Owner>(of file: StorageFile, _ field: StoredField<Owner>) throws {
        // A database without storages can still write names: a migration script has no need of them.
        guard let context = attachments.get(FileContext.self) else { return }
        let storage = try context.storages.storage(for: field.storage)
        guard StorageIdentity(storage) == StorageIdentity(file.storage) else {
            throw StorageError(
                .unknownStorage,
                """
                The file lives in \(file.storage.label), but the column "\(field.column)" of "\(Owner.table)" \
                belongs to the storage "\(field.storage)", which is \(storage.label). \
                Store it there first, with store(_:named:for:).
                """,
                name: file.name.string
            )
        }
    }
}
