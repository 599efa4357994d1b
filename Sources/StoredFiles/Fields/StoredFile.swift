public import Storages

/// A property of a model that is a file: the row keeps the file's name, the property is the file.
///
/// ```swift
/// @Model("photos")
/// struct Photo {
///     var id: Int64?
///     @StoredFile(in: .documents, path: "releases") var release: StorageFile? = nil
/// }
/// ```
/// Reading and writing the property is plain memory access: no I/O, no lock, nothing that can fail. The wrapper
/// keeps the value and the ``StorageID``; the other arguments are read by `@Model`, which writes them into
/// ``PostgresModels/FieldModel/storedFields``, where `store(_:named:for:)`
/// finds them. A model written by hand states them there itself.
///
/// The wrapper is deliberately not `Codable`: a request body must not be able to set the name of a file.
@propertyWrapper
public struct StoredFile: Hashable, Sendable {
    /// The file, `nil` when the row names none.
    public var wrappedValue: StorageFile?

    private let storage: StorageID

    /// The field's value and storage; `\Photo.$release` names the field.
    public var projectedValue: StoredFieldValue<StorageFile> {
        StoredFieldValue(value: wrappedValue, storage: storage)
    }

    /// Declares a file property.
    ///
    /// - Parameters:
    ///   - wrappedValue: The initial value. Write `= nil` after the property, so that the memberwise initializer
    ///     takes a file.
    ///   - storage: The storage that holds the files of this field.
    ///   - column: The column of the name. Default: the property's name in snake case.
    ///   - path: Where in the storage new files go. Default: at the top.
    ///   - maxBytes: The largest file, in bytes, that `store` accepts. Default: no limit.
    ///   - types: The content types, recognised by the bytes and not by what a client claims, that `store` accepts.
    ///     Default: all.
    public init(
        wrappedValue: StorageFile? = nil,
        in storage: StorageID,
        column: StaticString? = nil,
        path: @autoclosure () -> StoredPath = .top,
        maxBytes: Int64? = nil,
        types: @autoclosure () -> [ContentType] = []
    ) {
        self.wrappedValue = wrappedValue
        self.storage = storage
    }
}
