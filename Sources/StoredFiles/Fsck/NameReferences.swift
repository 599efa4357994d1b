import PostgresModels
import StorageImages
import Storages

/// The names that rows have in the fields of one storage, in the order of their bytes, in constant memory.
struct NameReferences: AsyncSequence, Sendable {
    struct Element: Sendable {
        let reference: FsckFinding.Reference
        /// The contents of the size columns, when the field has them and both are set.
        let size: (width: Int, height: Int)?
        /// The statement that forgets that size again.
        let sizeColumns: SizeColumns?
    }

    /// A field as the catalogue has it.
    struct Field: Sendable {
        let table: String
        let column: String
        let sizes: SizeColumns?
    }

    let database: Database
    let fields: [Field]
    let prefix: String
    let position: StorageName?
    /// The number of rows that are read with one snapshot, at least: the server keeps every row version that one can
    /// still see.
    var namesPerSnapshot = 200_000

    /// The columns whose rows name files of a storage; detached partitions count.
    ///
    /// - Throws: ``DatabaseError`` with code `.invalidState` when one of the places cannot be looked into.
    static func fields(of storage: StorageID, in database: Database) async throws -> [Field] {
        _ = try await database.query("SELECT \(raw: JournalSchema.name).check_catalogue(\(storage.rawValue))")
        let rows = try await database.query(
            """
            SELECT c.relation::regclass::text AS relation, c.column_name::text AS name, w.attname::text AS width,
            h.attname::text AS height FROM \(raw: JournalSchema.name).catalogue(\(storage.rawValue)) AS c
            JOIN \(raw: JournalSchema.name).fields AS f ON f.id = c.field
            LEFT JOIN pg_attribute AS w ON w.attrelid = c.relation AND w.attname = f.width_column
            LEFT JOIN pg_attribute AS h ON h.attrelid = c.relation AND h.attname = f.height_column
            ORDER BY c.field
            """
        )
        return try rows.map { row in
            let width = try row.decode(String?.self, named: "width")
            let height = try row.decode(String?.self, named: "height")
            return Field(
                table: try row.decode(String.self, named: "relation"),
                column: try row.decode(String.self, named: "name"),
                sizes: width.flatMap { width in height.map { SizeColumns(width: width, height: $0) } }
            )
        }
    }

    /// The query for what follows a name.
    ///
    /// Tables come quoted from the server.
    private func query(after name: String?) -> SQL {
        let parts: [SQL] = fields.enumerated().map { index, field in
            let sizes: SQL =
                if let sizes = field.sizes {
                    "t.\(identifier: sizes.width)::bigint, t.\(identifier: sizes.height)::bigint"
                } else {
                    "NULL::bigint, NULL::bigint"
                }
            return """
                SELECT \(Int32(index)) AS field, t.\(identifier: field.column)::text COLLATE "C" AS name, \
                \(sql: sizes) FROM \(raw: field.table) AS t WHERE t.\(identifier: field.column) <> '' AND (\(name) IS \
                NULL OR t.\(identifier: field.column)::text COLLATE "C" > \(name)) AND \
                starts_with(t.\(identifier: field.column)::text, \(prefix))
                """
        }
        // All rows of the last name, or those after the limit would be passed over.
        return """
            \(sql: .joined(parts, separator: " UNION ALL ")) ORDER BY name \
            FETCH FIRST (\(Int64(namesPerSnapshot))) ROWS WITH TIES
            """
    }

    func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(references: self, last: position?.string)
    }

    struct AsyncIterator: AsyncIteratorProtocol {
        let references: NameReferences
        var last: String?
        private var rows: RowStream.AsyncIterator?
        private var count = 0

        init(references: NameReferences, last: String?) {
            self.references = references
            self.last = last
        }

        mutating func next() async throws -> Element? {
            guard !references.fields.isEmpty else { return nil }
            while true {
                if rows == nil {
                    rows = references.database.maintenanceStream(references.query(after: last)).makeAsyncIterator()
                    count = 0
                }
                guard let row = try await rows?.next() else {
                    let isEnd = count < references.namesPerSnapshot
                    rows = nil
                    if isEnd { return nil }
                    continue
                }
                count += 1
                let field = references.fields[Int(try row.decode(Int32.self, at: 0))]
                let name = try row.decode(String.self, at: 1)
                let width = try row.decode(Int64?.self, at: 2)
                let height = try row.decode(Int64?.self, at: 3)
                last = name
                return Element(
                    reference: FsckFinding.Reference(table: field.table, column: field.column, name: name),
                    size: width.flatMap { width in
                        height.map { (Int(width), Int($0)) }
                    },
                    sizeColumns: field.sizes
                )
            }
        }
    }
}
