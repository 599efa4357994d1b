/// A type of PostgreSQL, by its object identifier in `pg_type`.
public struct DatabaseType: Hashable, Sendable {
    /// The object identifier.
    public let oid: UInt32

    /// Creates a type from its object identifier.
    ///
    /// - Parameter oid: The identifier, as in `pg_type.oid`.
    @inlinable
    public init(oid: UInt32) {
        self.oid = oid
    }

    /// The type of an array whose elements have this type.
    ///
    /// `nil` for what is an array itself, since PostgreSQL's arrays of arrays are one array with more dimensions, and
    /// for types that this library does not know, such as enums: their arrays have other identifiers in each database.
    public var array: DatabaseType? {
        Self.rows[oid]?.array
    }

    /// The number below which are the types that PostgreSQL brings along (source, `FirstNormalObjectId`).
    static let firstUserOID: UInt32 = 16_384

    /// The name in messages and in the definition of a column; "with oid …" for types that this library does not
    /// know.
    @usableFromInline var name: String {
        if let row = Self.rows[oid] { return row.name }
        if let element = Self.elements[oid] { return element.name + "[]" }
        return "with oid \(oid)"
    }

    /// The types of columns that values of this type can be written to and read from; `nil` when the library does not
    /// know.
    var fittingColumns: [DatabaseType]? {
        if let row = Self.rows[oid] { return row.fittingColumns }
        return Self.elements[oid]?.fittingColumns?.compactMap(\.array)
    }

    /// Finds a type by the name that ``name`` has.
    init?(named name: String) {
        guard let type = Self.named[name] else { return nil }
        self = type
    }

    private static let rows = table(builtIn.map { ($0.type.oid, $0) })
    private static let elements = table(builtIn.compactMap { row in row.array.map { ($0.oid, row) } })
    private static let named = table(
        builtIn.flatMap { row in [(row.name, row.type)] + (row.array.map { [(row.name + "[]", $0)] } ?? []) }
    )

    private static func table<Key: Hashable, Value>(_ rows: [(Key, Value)]) -> [Key: Value] {
        Dictionary(rows, uniquingKeysWith: { first, _ in first })
    }
}
