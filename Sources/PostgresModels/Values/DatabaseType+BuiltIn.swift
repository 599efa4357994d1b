/// The one table of PostgreSQL's types: whatever else is known of a type follows from its row.
extension DatabaseType {
    /// A row of the table.
    struct BuiltIn: Sendable {
        /// The type.
        var type: DatabaseType
        /// The type of its arrays, `pg_type.typarray`; `nil` when there are none.
        var array: DatabaseType?
        /// The name, as the definition of a column may write it.
        var name: String
        /// The types of columns that values of this type can be written to and read from, this one included.
        ///
        /// Reading: what the Swift types accept. Writing: PostgreSQL converts the value to the column's type only where
        /// it has an assignment cast
        /// (<https://www.postgresql.org/docs/current/sql-createcast.html>). `nil` for types that no value of this
        /// library is bound as: only the server knows where these fit.
        var fittingColumns: [DatabaseType]?

        init(_ type: DatabaseType, arrayOID: UInt32?, name: String, alsoFits others: [DatabaseType]? = nil) {
            self.type = type
            array = arrayOID.map(DatabaseType.init(oid:))
            self.name = name
            fittingColumns = others.map { [type] + $0 }
        }
    }

    /// The table: `oid`, `typarray` and the names of PostgreSQL's `pg_type.dat`.
    static let builtIn: [BuiltIn] = [
        BuiltIn(.boolean, arrayOID: 1000, name: "boolean", alsoFits: []),
        BuiltIn(.bytea, arrayOID: 1001, name: "bytea", alsoFits: []),
        // Whole numbers of all widths fit each other: the server refuses what is too large.
        BuiltIn(.smallint, arrayOID: 1005, name: "smallint", alsoFits: [.integer, .bigint]),
        BuiltIn(.integer, arrayOID: 1007, name: "integer", alsoFits: [.smallint, .bigint]),
        BuiltIn(.bigint, arrayOID: 1016, name: "bigint", alsoFits: [.smallint, .integer, .objectIdentifier]),
        BuiltIn(.real, arrayOID: 1021, name: "real", alsoFits: []),
        BuiltIn(.double, arrayOID: 1022, name: "double precision", alsoFits: [.real]),
        BuiltIn(.numeric, arrayOID: 1231, name: "numeric", alsoFits: []),
        BuiltIn(.text, arrayOID: 1009, name: "text", alsoFits: [.varchar, .character, .singleByte, .identifier]),
        BuiltIn(.uuid, arrayOID: 2951, name: "uuid", alsoFits: []),
        BuiltIn(.timestamptz, arrayOID: 1185, name: "timestamptz", alsoFits: [.timestamp, .date]),
        BuiltIn(.date, arrayOID: 1182, name: "date", alsoFits: [.timestamptz, .timestamp]),
        BuiltIn(.jsonb, arrayOID: 3807, name: "jsonb", alsoFits: [.json]),
        BuiltIn(.json, arrayOID: 199, name: "json"),
        BuiltIn(.varchar, arrayOID: 1015, name: "varchar"),
        BuiltIn(.character, arrayOID: 1014, name: "char"),
        BuiltIn(.singleByte, arrayOID: 1002, name: "\"char\""),
        BuiltIn(.identifier, arrayOID: 1003, name: "name"),
        BuiltIn(.xml, arrayOID: 143, name: "xml"),
        BuiltIn(.timestamp, arrayOID: 1115, name: "timestamp"),
        BuiltIn(.objectIdentifier, arrayOID: 1028, name: "oid"),
        BuiltIn(.relation, arrayOID: 2210, name: "regclass"),
        BuiltIn(.transactionIdentifier, arrayOID: 1011, name: "xid"),
        BuiltIn(.commandIdentifier, arrayOID: 1012, name: "cid"),
        BuiltIn(.cursor, arrayOID: 2201, name: "refcursor"),
        BuiltIn(.undetermined, arrayOID: nil, name: "unknown"),
    ]
}

// Computed and inlinable: readers compare with them for each cell, which must cost no more than comparing numbers.
extension DatabaseType {
    /// `boolean`.
    @inlinable public static var boolean: DatabaseType { DatabaseType(oid: 16) }
    /// `bytea`.
    @inlinable public static var bytea: DatabaseType { DatabaseType(oid: 17) }
    /// `bigint`.
    @inlinable public static var bigint: DatabaseType { DatabaseType(oid: 20) }
    /// `smallint`.
    @inlinable public static var smallint: DatabaseType { DatabaseType(oid: 21) }
    /// `integer`.
    @inlinable public static var integer: DatabaseType { DatabaseType(oid: 23) }
    /// `text`.
    @inlinable public static var text: DatabaseType { DatabaseType(oid: 25) }
    /// `json`.
    @inlinable public static var json: DatabaseType { DatabaseType(oid: 114) }
    /// `real`.
    @inlinable public static var real: DatabaseType { DatabaseType(oid: 700) }
    /// `double precision`.
    @inlinable public static var double: DatabaseType { DatabaseType(oid: 701) }
    /// `date`.
    @inlinable public static var date: DatabaseType { DatabaseType(oid: 1082) }
    /// `timestamp without time zone`.
    @inlinable public static var timestamp: DatabaseType { DatabaseType(oid: 1114) }
    /// `timestamp with time zone`.
    @inlinable public static var timestamptz: DatabaseType { DatabaseType(oid: 1184) }
    /// `numeric`.
    @inlinable public static var numeric: DatabaseType { DatabaseType(oid: 1700) }
    /// `uuid`.
    @inlinable public static var uuid: DatabaseType { DatabaseType(oid: 2950) }
    /// `jsonb`.
    @inlinable public static var jsonb: DatabaseType { DatabaseType(oid: 3802) }

    /// `character varying`.
    @inlinable static var varchar: DatabaseType { DatabaseType(oid: 1043) }
    /// `character(n)`, padded with blanks.
    @inlinable static var character: DatabaseType { DatabaseType(oid: 1042) }
    /// `"char"`, a single byte, in quotation marks.
    @inlinable static var singleByte: DatabaseType { DatabaseType(oid: 18) }
    /// `name`.
    @inlinable static var identifier: DatabaseType { DatabaseType(oid: 19) }
    /// `xml`.
    @inlinable static var xml: DatabaseType { DatabaseType(oid: 142) }
    /// `oid`.
    @inlinable static var objectIdentifier: DatabaseType { DatabaseType(oid: 26) }
    /// `regclass`.
    @inlinable static var relation: DatabaseType { DatabaseType(oid: 2205) }
    /// `xid`.
    @inlinable static var transactionIdentifier: DatabaseType { DatabaseType(oid: 28) }
    /// `cid`.
    @inlinable static var commandIdentifier: DatabaseType { DatabaseType(oid: 29) }
    /// `refcursor`.
    @inlinable static var cursor: DatabaseType { DatabaseType(oid: 1790) }
    /// `unknown`, the type of a literal that nothing gives a type.
    @inlinable static var undetermined: DatabaseType { DatabaseType(oid: 705) }
}

extension ColumnType {
    /// `boolean`.
    public static let boolean = ColumnType(.boolean)
    /// `smallint`, 2 bytes.
    public static let smallint = ColumnType(.smallint)
    /// `integer`, 4 bytes.
    public static let integer = ColumnType(.integer)
    /// `bigint`, 8 bytes.
    public static let bigint = ColumnType(.bigint)
    /// `real`, 4 bytes.
    public static let real = ColumnType(.real)
    /// `double precision`, 8 bytes.
    public static let double = ColumnType(.double)
    /// `numeric`, of any precision; `"numeric(12, 2)"` is one, too.
    public static let numeric = ColumnType(.numeric)
    /// `text`.
    public static let text = ColumnType(.text)
    /// `uuid`.
    public static let uuid = ColumnType(.uuid)
    /// `timestamptz`.
    public static let timestamptz = ColumnType(.timestamptz)
    /// `date`.
    public static let date = ColumnType(.date)
    /// `bytea`.
    public static let bytea = ColumnType(.bytea)
    /// `jsonb`.
    public static let jsonb = ColumnType(.jsonb)
}
