/// A type of PostgreSQL, by its object identifier in `pg_type`.
public struct DatabaseType: Hashable, Sendable {
    /// The object identifier.
    public let oid: UInt32

    /// Names a type by its object identifier.
    ///
    /// - Parameter oid: The identifier, as in `pg_type.oid`.
    public init(oid: UInt32) {
        self.oid = oid
    }

    /// `boolean`.
    public static let boolean = DatabaseType(oid: 16)
    /// `bytea`.
    public static let bytea = DatabaseType(oid: 17)
    /// `bigint`.
    public static let bigint = DatabaseType(oid: 20)
    /// `smallint`.
    public static let smallint = DatabaseType(oid: 21)
    /// `integer`.
    public static let integer = DatabaseType(oid: 23)
    /// `text`.
    public static let text = DatabaseType(oid: 25)
    /// `json`.
    public static let json = DatabaseType(oid: 114)
    /// `real`.
    public static let real = DatabaseType(oid: 700)
    /// `double precision`.
    public static let double = DatabaseType(oid: 701)
    /// `timestamp with time zone`.
    public static let timestamptz = DatabaseType(oid: 1184)
    /// `numeric`.
    public static let numeric = DatabaseType(oid: 1700)
    /// `uuid`.
    public static let uuid = DatabaseType(oid: 2950)
    /// `jsonb`.
    public static let jsonb = DatabaseType(oid: 3802)

    /// The type of an array whose elements have this type.
    ///
    /// `nil` for what is an array itself, since PostgreSQL's arrays of arrays are one array with more dimensions, and
    /// for types that this library does not know, such as enums: their arrays have other identifiers in each database.
    public var array: DatabaseType? {
        Self.arrays[oid].map(DatabaseType.init(oid:))
    }

    private static let arrays: [UInt32: UInt32] = [
        16: 1000, 17: 1001, 20: 1016, 21: 1005, 23: 1007, 25: 1009, 114: 199, 700: 1021, 701: 1022, 1184: 1185,
        1700: 1231,
        2950: 2951, 3802: 3807,
    ]
}
