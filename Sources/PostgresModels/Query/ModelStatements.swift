import NIOConcurrencyHelpers

/// The fixed texts of a model's statements, made once per model.
struct ModelStatements: Sendable {
    let columnNames: [String]
    let table: String
    let idColumn: String
    /// `SELECT …, … FROM …`, to which conditions are added.
    let select: String
    let find: String
    /// A Boolean value for each column that indicates whether it is written when the database makes the key.
    let isGenerated: [Bool]
    let insertGenerated: String
    let insertWithKey: String
    /// The INSERT statements for any number of rows, whose columns are bound as arrays.
    let insertManyGenerated: String
    let insertManyWithKey: String
    let update: String
    let delete: String
    let count: String

    private struct PartialUpdate: Hashable {
        var model: ObjectIdentifier
        var columns: [Bool]
    }

    private static let cache = NIOLockedValueBox<[ObjectIdentifier: ModelStatements]>([:])
    private static let partialUpdates = NIOLockedValueBox<[PartialUpdate: String]>([:])

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
        let others = names.indices.filter { $0 != idIndex }.map { names[$0] }
        insertGenerated = Self.insert(into: table, columns: others, rows: 1, returning: id)
        insertWithKey = Self.insert(into: table, columns: names, rows: 1, returning: id)
        insertManyGenerated = Self.insertMany(into: table, columns: others, returning: id)
        insertManyWithKey = Self.insertMany(into: table, columns: names, returning: id)
        update = Self.update(table, columns: others, id: id)
        delete = "DELETE FROM \(table) WHERE \(id) = $1"
        count = "SELECT count(*) FROM \(table)"
    }

    /// The UPDATE of some columns; made once for each combination, of which a program has few.
    func update<M: Model>(of wanted: [Bool], model: M.Type) -> String {
        let key = PartialUpdate(model: ObjectIdentifier(model), columns: wanted)
        return Self.partialUpdates.withLockedValue { cache in
            if let known = cache[key] { return known }
            let made = Self.update(table, columns: zip(columnNames, wanted).filter { $1 }.map(\.0), id: idColumn)
            // A program that makes combinations up gains nothing from keeping them.
            if cache.count >= 1000 { cache.removeAll() }
            cache[key] = made
            return made
        }
    }

    private static func update(_ table: String, columns: [String], id: String) -> String {
        let assigned = columns.enumerated().map { "\($1) = $\($0 + 1)" }
        return "UPDATE \(table) SET \(assigned.joined(separator: ", ")) WHERE \(id) = $\(assigned.count + 1)"
    }

    /// `INSERT … SELECT * FROM unnest($1, $2, …) RETURNING id`; the rows come in the order of the arrays.
    private static func insertMany(into table: String, columns: [String], returning id: String) -> String {
        let arrays = columns.indices.map { "$\($0 + 1)" }.joined(separator: ", ")
        let names = columns.joined(separator: ", ")
        return "INSERT INTO \(table) (\(names)) SELECT * FROM unnest(\(arrays)) RETURNING \(id)"
    }

    /// `INSERT … VALUES (…), (…) RETURNING id`; PostgreSQL returns the rows of VALUES in their order.
    static func insert(into table: String, columns: [String], rows: Int, returning id: String) -> String {
        guard !columns.isEmpty else {
            let values = Array(repeating: "(DEFAULT)", count: rows).joined(separator: ", ")
            return "INSERT INTO \(table) (\(id)) VALUES \(values) RETURNING \(id)"
        }
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
