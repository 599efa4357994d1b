public import PostgresModels
public import StorageImages
public import Storages

extension RowDecoder {
    /// Reads the next column as the file of a field.
    ///
    /// No storage is asked for anything. A column that holds something that no storage could have given out, because
    /// another program wrote it, does not keep the row from being read and written back: it becomes a file whose every
    /// operation throws ``Storages/StorageError`` with code `.invalidName`, with the table, the column and the text.
    ///
    /// - Parameter field: The field whose column comes next.
    /// - Returns: The file, or `nil` when the column is NULL or empty.
    /// - Throws: ``Storages/StorageError`` with code `.unknownStorage` when the database was opened without the field's
    ///   storage.
    public mutating func storedFile<Owner>(_ field: StoredField<Owner>) throws -> StorageFile? {
        let binding = try cachedObject(FieldBinding.self) { [attachments] in try FieldBinding(field, attachments) }
        return try next(String?.self).flatMap(binding.file(named:))
    }

    /// Reads the next columns as the image of a field: the name, then its width and height when the field caches them.
    ///
    /// No storage is asked for anything. A name that is none is treated as that of a file.
    ///
    /// - Parameter field: The field whose columns come next.
    /// - Returns: The image, or `nil` when the name is NULL or empty.
    /// - Throws: As ``storedFile(_:)``.
    public mutating func storedImage<Owner>(_ field: StoredField<Owner>) throws -> StorageImage? {
        let binding = try cachedObject(FieldBinding.self) { [attachments] in try FieldBinding(field, attachments) }
        let name = try next(String?.self)
        var size = StorageImage.SizeState.unknown
        if field.sizeColumns != nil {
            let width = try next(Int32?.self)
            let height = try next(Int32?.self)
            size = StorageImage.SizeState(width: width.map(Int.init), height: height.map(Int.init))
        }
        guard let file = name.flatMap(binding.file(named:)) else { return nil }
        return StorageImage(file: file, size: size, recorder: binding.recorder, prober: binding.prober)
    }
}
