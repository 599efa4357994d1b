public import StorageImages
public import Storages

/// A property of a model that is an image: the row keeps the image's name and, in two more columns, its size.
///
/// ```swift
/// @StoredImage(in: .media, path: "covers", width: "cover_width", height: "cover_height")
/// var cover: StorageImage? = nil
/// ```
/// The size is written with the row when the image came through `store`, and by the first
/// ``StorageImages/StorageImage/dimensions()`` when another program wrote the row. Without `width:` and `height:` the
/// size is probed anew for each loaded row that is asked for it.
///
/// Reading and writing the property is plain memory access. See ``StoredFile`` for what the wrapper keeps and why it
/// is not `Codable`.
@propertyWrapper
public struct StoredImage: Hashable, Sendable {
    /// The image, `nil` when the row names none.
    public var wrappedValue: StorageImage?

    private let storage: StorageID

    /// The field's value and storage; `\Photo.$cover` names the field.
    public var projectedValue: StoredFieldValue<StorageImage> {
        StoredFieldValue(value: wrappedValue, storage: storage)
    }

    /// Declares an image property.
    ///
    /// - Parameters:
    ///   - wrappedValue: The initial value. Write `= nil` after the property, so that the memberwise initializer
    ///     takes an image.
    ///   - storage: The storage that holds the images of this field.
    ///   - column: The column of the name. Default: the property's name in snake case.
    ///   - path: Where in the storage new images go. Default: at the top.
    ///   - width: The column of the width in pixels. Give both or none.
    ///   - height: The column of the height in pixels.
    ///   - maxBytes: The largest file, in bytes, that `store` accepts. Default: no limit.
    ///   - rules: What else `store` demands of an image: formats, pixel sizes, aspect ratio. Default: it must be one.
    public init(
        wrappedValue: StorageImage? = nil,
        in storage: StorageID,
        column: StaticString? = nil,
        path: @autoclosure () -> StoredPath = .top,
        width: StaticString? = nil,
        height: StaticString? = nil,
        maxBytes: Int64? = nil,
        rules: @autoclosure () -> ImageRules = ImageRules()
    ) {
        self.wrappedValue = wrappedValue
        self.storage = storage
    }
}
