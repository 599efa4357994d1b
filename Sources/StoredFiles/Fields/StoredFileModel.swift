public import PostgresModels

/// A model with file or image properties.
///
/// `@Model` writes the conformance. By hand it is one static list, which also serves the positional decoding:
///
/// ```swift
/// struct Photo: StoredFileModel {
///     static let coverField = StoredField<Photo>.image(
///         \.$cover, in: .media, column: "cover", width: "cover_width", height: "cover_height", path: "covers")
///     static let storedFields = [coverField]
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
public protocol StoredFileModel: Model {
    /// The fields of the model, in any order.
    static var storedFields: [StoredField<Self>] { get }
}
