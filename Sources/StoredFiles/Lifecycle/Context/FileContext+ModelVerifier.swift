import PostgresModels
import Storages

extension FileContext: ModelVerifier {
    /// Returns the problems of a model: the storages that its fields need and the database was not opened with, and the
    /// columns whose triggers are missing, switched off, or of another storage.
    func problems<M: Model>(of model: M.Type, in session: any DatabaseSession) async throws -> [String] {
        guard let model = model as? any FieldModel.Type else { return [] }
        var problems: [String] = []
        let tracked = try await trackedColumns(of: M.table, in: session)
        for field in locations(in: model) {
            if storages[field.storage] == nil {
                let known = storages.ids.map { "\"\($0)\"" }.joined(separator: ", ")
                problems.append(
                    """
                    "\(field.column)" belongs to the storage "\(field.storage)", which is not registered \
                    (registered: \(known))
                    """
                )
            }
            guard let found = tracked[field.column] else {
                problems.append(
                    """
                    "\(field.column)" has no triggers, so its files would outlive their rows; \
                    add schema.track("\(field.column)", of: "\(M.table)", in: …) to a migration
                    """
                )
                continue
            }
            if found.storage != field.storage.rawValue {
                problems.append(
                    """
                    the triggers of "\(field.column)" are those of the storage "\(found.storage)", \
                    the model says "\(field.storage)"
                    """
                )
            }
            if let problem = found.problem {
                problems.append("nothing of the storage \"\(found.storage)\" can be deleted: \(problem)")
            }
            if !found.untriggered.isEmpty {
                problems.append(
                    """
                    triggers of "\(field.column)" are missing or switched off on \
                    \(found.untriggered.joined(separator: ", ")); migrate, or track the column again
                    """
                )
            }
            if !found.untrackedAncestors.isEmpty {
                problems.append(
                    """
                    rows of "\(M.table)" can be written through \(found.untrackedAncestors.joined(separator: ", ")), \
                    where "\(field.column)" is not tracked; track it there
                    """
                )
            }
            if let room = found.room, room.count < field.typicalNameLength {
                problems.append(
                    """
                    "\(field.column)" is \(found.type), too short for the names of its files, which have some \
                    \(field.typicalNameLength) characters; ALTER TABLE "\(M.table)" ALTER COLUMN "\(field.column)" \
                    TYPE text
                    """
                )
            }
            if !found.unindexed.isEmpty {
                problems.append(
                    """
                    each look for a file's row reads the whole of \(found.unindexed.joined(separator: ", ")): no index \
                    there serves to compare "\(field.column)", which is \(found.type), with text; \(found.remedy)
                    """
                )
            }
        }
        return problems
    }

    private struct Tracked {
        let storage: String
        /// The tables among the table itself and its partitions that lack a trigger.
        let untriggered: [String]
        /// The tables above it through which rows can be written past the triggers.
        let untrackedAncestors: [String]
        /// The tables that are read as a whole to find the row of a file.
        let unindexed: [String]
        /// The type of the column, and what an index must be made on.
        let type: String
        let indexKey: String
        /// The largest length of the column's values.
        let room: StorageName.Room?
        /// The problem that keeps rows from being looked into.
        let problem: String?

        /// The statements that make the indexes that are missing.
        var remedy: String {
            unindexed.map { "CREATE INDEX ON \($0) (\(indexKey))" }.joined(separator: "; ")
        }
    }

    /// The type that a column is of, when that is a domain the one it is made of.
    ///
    /// It takes the row of `pg_attribute` as `a`.
    private static let baseType: SQL = """
        (WITH RECURSIVE base AS (SELECT a.atttypid AS id UNION ALL SELECT t.typbasetype FROM base \
        JOIN pg_type AS t ON t.oid = base.id AND t.typtype = 'd') \
        SELECT base.id FROM base JOIN pg_type AS t ON t.oid = base.id AND t.typtype <> 'd')
        """

    /// The tables whose rows are found only by reading all of them.
    ///
    /// Rows are looked for by `column = ANY (text[])`. What is not text, a varchar or a name is cast to text for that:
    /// `char(n)` and `citext`, whose own indexes have other operators. An index of another collation than the column's
    /// does not serve either, nor one of some rows.
    private static let unindexed: SQL = """
        ARRAY(SELECT r::text FROM \(raw: JournalSchema.name).relations(c.relation::regclass) AS r \
        JOIN pg_class AS k ON k.oid = r AND (k.relkind = 'r' OR k.relkind = 'p' AND NOT k.relhassubclass) \
        JOIN pg_attribute AS a ON a.attrelid = r AND a.attname = c.column_name AND NOT a.attisdropped \
        CROSS JOIN LATERAL (SELECT \(sql: baseType) AS id) AS b WHERE NOT EXISTS (\
        SELECT FROM pg_index AS i JOIN pg_opclass AS o ON o.oid = i.indclass[0] JOIN pg_am AS m ON m.oid = o.opcmethod \
        JOIN pg_amop AS p ON p.amopfamily = o.opcfamily AND p.amopopr = CASE b.id WHEN 'name'::regtype \
        THEN 'pg_catalog.=(name,text)'::regoperator ELSE 'pg_catalog.=(text,text)'::regoperator END \
        WHERE i.indrelid = r AND i.indisvalid AND i.indpred IS NULL AND m.amname IN ('btree', 'hash') \
        AND i.indcollation[0] = a.attcollation AND (i.indkey[0] = a.attnum \
        AND b.id IN ('text'::regtype, 'varchar'::regtype, 'name'::regtype) OR i.indkey[0] = 0 \
        AND pg_get_indexdef(i.indexrelid, 1, false) = format('((%I)::text)', a.attname)))) \
        AS unindexed
        """

    private func trackedColumns(of table: String, in session: any DatabaseSession) async throws -> [String: Tracked] {
        let exists = try await session.query(
            "SELECT to_regclass('\(raw: JournalSchema.name).reservations') IS NOT NULL"
        ).first
        guard try exists?.decode(Bool.self, at: 0) == true else { return [:] }
        let rows = try await session.query(
            """
            SELECT c.column_name::text AS name, f.storage, c.problem, \
            ARRAY(SELECT u::text FROM \(raw: JournalSchema.name).untriggered(f.id) AS u) AS untriggered, \
            ARRAY(SELECT a.relid::text FROM pg_partition_ancestors(c.relation) AS a WHERE a.relid <> c.relation \
            AND NOT EXISTS (SELECT FROM \(raw: JournalSchema.name).carriers() AS k WHERE k.relation = a.relid \
            AND k.column_name = c.column_name)) AS ancestors, \
            \(sql: Self.unindexed), \(sql: ColumnRoom.columns), format_type(a.atttypid, a.atttypmod) AS type, \
            CASE WHEN \(sql: Self.baseType) IN ('text'::regtype, 'varchar'::regtype, 'name'::regtype) \
            THEN format('%I', a.attname) ELSE format('(%I::text)', a.attname) END AS index_key \
            FROM \(raw: JournalSchema.name).fields AS f \
            JOIN \(raw: JournalSchema.name).catalogue() AS c ON c.field = f.id AND NOT c.is_partition \
            LEFT JOIN pg_attribute AS a ON a.attrelid = c.relation AND a.attname = c.column_name \
            \(sql: ColumnRoom.joins) WHERE f.ended_at IS NULL AND c.relation = \
            to_regclass(\(JournalSchema.regclass(table)))
            """
        )
        var columns: [String: Tracked] = [:]
        for row in rows {
            columns[try row.decode(String.self, named: "name")] = Tracked(
                storage: try row.decode(String.self, named: "storage"),
                untriggered: try row.decode([String].self, named: "untriggered"),
                untrackedAncestors: try row.decode([String].self, named: "ancestors"),
                unindexed: try row.decode([String].self, named: "unindexed"),
                type: try row.decode(String?.self, named: "type") ?? "gone",
                indexKey: try row.decode(String?.self, named: "index_key") ?? "",
                room: ColumnRoom.room(
                    count: try row.decode(Int?.self, named: "room"),
                    isInBytes: try row.decode(Bool?.self, named: "is_in_bytes")
                ),
                problem: try row.decode(String?.self, named: "problem")
            )
        }
        return columns
    }

    private func locations<M: FieldModel>(in model: M.Type) -> [any FieldLocation] {
        model.storedFields.compactMap { $0 as? any FieldLocation }
    }
}

/// The properties of a field that are known whatever its model.
protocol FieldLocation {
    var column: String { get }
    var storage: StorageID { get }
    var path: StoredPath { get }
}

extension FieldLocation {
    /// The length of a name with an original of sixteen characters; longer ones are cut where they have to be.
    fileprivate var typicalNameLength: Int {
        let folder = path.folder(for: "document.pdf").unicodeScalars.count
        return (folder == 0 ? 0 : folder + 1) + 26 + 1 + 16
    }
}

extension StoredField: FieldLocation {}
