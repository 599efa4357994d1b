import NIOConcurrencyHelpers

/// The fixed texts of a model's statements, made once per model.
struct ModelStatements: Sendable {
    let columnNames: [String]
    let table: String
    let idColumn: String
    /// `SELECT …, … FROM …`, to which conditions are added.
    let select: String
    let find: String
    /// Which columns are written when the database makes the key.
    let isGenerated: [Bool]
    let insertGenerated: String
    let insertWithKey: String
    let update: String
    let delete: String
    let count: String

    private static let cache = NIOLockedValueBox<[ObjectIdentifier: ModelStatements]>([:])

    static func of<M: Model>(_ model: M.Type) throws -> ModelStatements {
        let key = ObjectIdentifier(model)
        if let known = cache.withLockedValue({ $0[key] }) { return known }
        let made = try ModelStatements(model)
        cache.withLockedValue { $0[key] = made }
        return made
    }

    private init<M: Model>(_ model: M.Type) throws {
        guard let idIndex = M.columns.firstIndex(where: { $0.name == M.idColumn }) else {
            throw DatabaseError(
                code: .missingColumn,
                message: "The model of \"\(M.table)\" has no column \"\(M.idColumn)\" for its primary key.",
                table: M.table,
                column: M.idColumn
            )
        }
        let names = try M.columns.map { try Identifier.quoted($0.name) }
        let table = try Identifier.quoted(M.table)
        let id = names[idIndex]
        columnNames = names
        self.table = table
        idColumn = id
        select = "SELECT \(names.joined(separator: ", ")) FROM \(table)"
        find = "\(select) WHERE \(id) = $1"
        isGenerated = M.columns.indices.map { $0 != idIndex }
        insertGenerated = Self.insert(table, names.indices.filter { $0 != idIndex }.map { names[$0] }, rows: 1, id)
        insertWithKey = Self.insert(table, names, rows: 1, id)
        let assigned = names.indices.filter { $0 != idIndex }.enumerated().map { "\(names[$1]) = $\($0 + 1)" }
        update = "UPDATE \(table) SET \(assigned.joined(separator: ", ")) WHERE \(id) = $\(assigned.count + 1)"
        delete = "DELETE FROM \(table) WHERE \(id) = $1"
        count = "SELECT count(*) FROM \(table)"
    }

    /// `INSERT … VALUES (…), (…) RETURNING id`; PostgreSQL returns the rows of VALUES in their order.
    static func insert(_ table: String, _ columns: [String], rows: Int, _ id: String) -> String {
        guard !columns.isEmpty else { return "INSERT INTO \(table) DEFAULT VALUES RETURNING \(id)" }
        var parameter = 0
        let values = (0..<rows).map { _ in
            let row = columns.map { _ in
                parameter += 1
                return "$\(parameter)"
            }
            return "(\(row.joined(separator: ", ")))"
        }
        return """
            INSERT INTO \(table) (\(columns.joined(separator: ", "))) VALUES \(values.joined(separator: ", ")) \
            RETURNING \(id)
            """
    }
}
