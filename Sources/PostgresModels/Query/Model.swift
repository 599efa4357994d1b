/// A struct that is one row of a table.
///
/// `@Model` writes the conformance. By hand it is a list of columns and two functions that go through them in the same
/// order:
///
/// ```swift
/// struct Author: Model {
///     static let table = "authors"
///     static let columns = [
///         ModelColumn("id", \Author.id),
///         ModelColumn("name", \Author.name),
///     ]
///     var id: Int64?
///     var name: String
///
///     init(row: inout RowDecoder) throws {
///         id = try row.next()
///         name = try row.next()
///     }
///
///     func encode(into row: inout RowEncoder) throws {
///         try row.encode(id)
///         try row.encode(name)
///     }
/// }
/// ```
public protocol Model: Sendable {
    /// The type of the primary key: an integer, a `UUID` or text.
    associatedtype ID: DatabaseValue & Hashable

    /// The table.
    static var table: String { get }

    /// The column of the primary key. Default: `id`.
    static var idColumn: String { get }

    /// All columns, the key among them, in the order of ``init(row:)`` and ``encode(into:)``.
    static var columns: [ModelColumn] { get }

    /// The primary key, `nil` in a row that the database has not numbered yet.
    var id: ID? { get set }

    /// Reads a row, column by column.
    ///
    /// - Parameter row: The row.
    /// - Throws: ``DatabaseError`` that names what does not fit.
    init(row: inout RowDecoder) throws

    /// Writes a row, column by column.
    ///
    /// - Parameter row: Collects the values.
    /// - Throws: ``DatabaseError`` that names what does not fit.
    func encode(into row: inout RowEncoder) throws
}

extension Model {
    /// `id`.
    public static var idColumn: String { "id" }
}
