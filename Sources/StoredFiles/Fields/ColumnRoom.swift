import PostgresModels
import Storages

/// The room that a column has for names, in SQL that takes the column's row of `pg_attribute` as `a`.
///
/// A `varchar` or `char` counts characters, and a `name` cuts what is longer than 63 bytes without a word. A domain has
/// the length of the type that it is made of. In a database of the encoding `SQL_ASCII` every byte is a character.
enum ColumnRoom {
    /// `room`, NULL for any length, and `is_in_bytes`.
    static let columns: SQL = """
        CASE WHEN b.id = 'pg_catalog.name'::regtype THEN 63 WHEN b.id IN ('pg_catalog.varchar'::regtype, \
        'pg_catalog.bpchar'::regtype) AND b.modifier > 4 THEN b.modifier - 4 END AS room, \
        b.id = 'pg_catalog.name'::regtype OR pg_catalog.getdatabaseencoding() = 'SQL_ASCII' AS is_in_bytes
        """

    /// The joins that ``columns`` needs.
    static let joins: SQL = """
        LEFT JOIN pg_catalog.pg_type AS y ON y.oid = a.atttypid \
        LEFT JOIN LATERAL (SELECT y.oid AS id, a.atttypmod AS modifier WHERE y.typtype <> 'd' \
        UNION ALL (WITH RECURSIVE base AS (SELECT y.typbasetype AS id, y.typtypmod AS modifier WHERE y.typtype = 'd' \
        UNION ALL SELECT d.typbasetype, CASE WHEN base.modifier > 0 THEN base.modifier ELSE d.typtypmod END FROM base \
        JOIN pg_catalog.pg_type AS d ON d.oid = base.id AND d.typtype = 'd') SELECT base.id, base.modifier FROM base \
        JOIN pg_catalog.pg_type AS d ON d.oid = base.id AND d.typtype <> 'd')) AS b ON true
        """

    static func room(count: Int?, isInBytes: Bool?) -> StorageName.Room? {
        count.map { isInBytes == true ? .bytes($0) : .scalars($0) }
    }
}
