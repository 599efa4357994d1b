public import PostgresModels
public import StorageImages
public import Storages

/// The static description of one file or image property of a model: its columns, its storage, and what `store`
/// accepts for it.
///
/// There is one per property, made once and shared; it holds no row's data. `@Model` writes them; by hand it looks so:
///
/// ```swift
/// struct Photo: FieldModel {
///     static let coverField = StoredField<Photo>.image(
///         \.$cover, in: .media, column: "cover", width: "cover_width", height: "cover_height", path: "covers")
///     static let storedFields = [coverField]
///     static let columns = [ModelColumn("id", \Photo.id)] + coverField.modelColumns(of: \Photo.cover)
///
///     init(row: inout RowDecoder) throws {
///         id = try row.next()
///         cover = try row.storedImage(Self.coverField)     // reads three columns
///     }
///     func encode(into row: inout RowEncoder) throws {
///         try row.encode(id)
///         try row.encode(cover, for: Self.coverField)      // writes three columns
///     }
/// }
/// ```
public struct StoredField<Owner: Model>: Sendable {
    enum Kind: Sendable {
        case file(types: [ContentType])
        case image(columns: SizeColumns?, rules: ImageRules)
    }

    /// The column of the name.
    public let column: String

    /// The storage that holds the field's files.
    public let storage: StorageID

    /// The place of new files in the storage.
    public let path: StoredPath

    /// The largest file, in bytes, that `store` accepts, or `nil` for no limit.
    public let maxBytes: Int64?

    let kind: Kind
    let keyPath: any PartialKeyPath<Owner> & Sendable

    /// All columns of the field, in the order in which `init(row:)` reads and `encode(into:)` writes them: the name,
    /// then for an image that caches its size the width and the height.
    public var columns: [String] {
        if let sizeColumns { [column, sizeColumns.width, sizeColumns.height] } else { [column] }
    }

    /// The columns of the field as a hand-written model lists them.
    ///
    /// - Parameter keyPath: The property itself, for example `\Photo.cover`, by which `update(_:only:)` finds them.
    /// - Returns: One column for a file, three for an image that caches its size.
    public func modelColumns(of keyPath: any PartialKeyPath<Owner> & Sendable) -> [ModelColumn] {
        columns.enumerated().map { index, name in
            ModelColumn(name, type: index == 0 ? .text : .integer, isOptional: true, keyPath: keyPath)
        }
    }

    var isImage: Bool {
        switch kind {
        case .file: false
        case .image: true
        }
    }

    var sizeColumns: SizeColumns? {
        switch kind {
        case .file: nil
        case .image(let columns, _): columns
        }
    }

    /// Describes a file property.
    ///
    /// - Parameters:
    ///   - keyPath: The property's projection, for example `\.$release`.
    ///   - storage: The storage of the field.
    ///   - column: The column of the name.
    ///   - path: Where new files go. Default: at the top of the storage.
    ///   - maxBytes: The largest file in bytes. Default: no limit.
    ///   - types: The accepted content types, recognised by the bytes. Default: all.
    /// - Returns: The description.
    public static func file(
        _ keyPath: any KeyPath<Owner, StoredFieldValue<StorageFile>> & Sendable,
        in storage: StorageID,
        column: String,
        path: StoredPath = .top,
        maxBytes: Int64? = nil,
        types: [ContentType] = []
    ) -> StoredField {
        StoredField(
            column: column,
            storage: storage,
            path: path,
            maxBytes: maxBytes,
            kind: .file(types: types),
            keyPath: keyPath
        )
    }

    /// Describes an image property.
    ///
    /// - Parameters:
    ///   - keyPath: The property's projection, for example `\.$cover`.
    ///   - storage: The storage of the field.
    ///   - column: The column of the name.
    ///   - width: The column of the width; give both or none.
    ///   - height: The column of the height.
    ///   - path: Where new images go. Default: at the top of the storage.
    ///   - maxBytes: The largest file in bytes. Default: no limit.
    ///   - rules: What `store` demands of an image beyond being one.
    /// - Returns: The description.
    public static func image(
        _ keyPath: any KeyPath<Owner, StoredFieldValue<StorageImage>> & Sendable,
        in storage: StorageID,
        column: String,
        width: String? = nil,
        height: String? = nil,
        path: StoredPath = .top,
        maxBytes: Int64? = nil,
        rules: ImageRules = ImageRules()
    ) -> StoredField {
        let columns: SizeColumns? =
            if let width, let height { SizeColumns(width: width, height: height) } else { nil }
        return StoredField(
            column: column,
            storage: storage,
            path: path,
            maxBytes: maxBytes,
            kind: .image(columns: columns, rules: rules),
            keyPath: keyPath
        )
    }
}
