public import Storages

/// The value of a file property, together with the storage that its field belongs to: the projected value of
/// ``StoredFile`` and ``StoredImage``, reached as `photo.$cover`.
///
/// Its chief use is to name a field: the key path `\Photo.$cover` says *which field of which model* where
/// `\Photo.cover` would only say which value.
public struct StoredFieldValue<Value: Hashable & Sendable>: Hashable, Sendable {
    /// The file or image that the row names, `nil` when the column is NULL.
    public let value: Value?

    /// The storage that the field was declared with.
    public let storage: StorageID

    /// Makes a pair of value and storage.
    ///
    /// - Parameters:
    ///   - value: The file or image, or `nil`.
    ///   - storage: The storage of the field.
    public init(value: Value?, storage: StorageID) {
        self.value = value
        self.storage = storage
    }
}
