extension Database {
    /// Checks a model against its table: call it at start-up, rather than find out in a request.
    ///
    /// - Parameter model: The model.
    /// - Throws: One ``DatabaseError`` that names every missing column, every type the model cannot read, every column
    ///   that may be NULL where the model does not expect it, and what layers above miss, such as a storage. Its code is
    ///   `.missingColumn` when a column is missing, `.undefinedObject` without the table, `.typeMismatch` otherwise.
    /// - Complexity: One statement.
    public func verify<M: Model>(_ model: M.Type) async throws {
        let table = try Identifier.quoted(M.table)
        let rows = try await query(
            """
            SELECT attname::text AS name, atttypid::bigint AS type, format_type(atttypid, atttypmod) AS shown, \
            attnotnull AS required FROM pg_attribute \
            WHERE attrelid = to_regclass(\(table)) AND attnum > 0 AND NOT attisdropped
            """
        )
        guard !rows.isEmpty else {
            throw DatabaseError(
                code: .undefinedObject,
                message: "There is no table \"\(M.table)\" in the search path; run the migrations first.",
                table: M.table
            )
        }
        var found: [String: (type: DatabaseType, shown: String, isRequired: Bool)] = [:]
        for row in rows {
            found[try row.decode(String.self, named: "name")] = (
                DatabaseType(oid: try row.decode(UInt32.self, named: "type")),
                try row.decode(String.self, named: "shown"),
                try row.decode(Bool.self, named: "required")
            )
        }
        var problems: [String] = []
        var code = DatabaseError.Code.typeMismatch
        for column in M.columns {
            guard let actual = found[column.name] else {
                code = .missingColumn
                problems.append("it has no column \"\(column.name)\" (\(column.type.sql))")
                continue
            }
            if !column.type.reads(actual.type) {
                problems.append("\"\(column.name)\" is \(actual.shown), the model expects \(column.type.sql)")
            }
            if !actual.isRequired, !column.isOptional {
                problems.append("\"\(column.name)\" may be NULL, the model's property is not optional")
            }
        }
        for verifier in attachments.verifiers { problems += try await verifier.problems(of: model, in: self) }
        guard problems.isEmpty else {
            throw DatabaseError(
                code: code,
                message: "The model of \"\(M.table)\" does not fit: \(problems.joined(separator: "; ")).",
                table: M.table
            )
        }
    }
}

extension ColumnType {
    /// Whether a model that expects this type can read a column of another, and write it: PostgreSQL casts a whole
    /// number to the width of its column, and text to an enum it fits.
    func reads(_ actual: DatabaseType) -> Bool {
        let integers: Set<UInt32> = [20, 21, 23]
        let known: Set<UInt32> = [16, 17, 20, 21, 23, 700, 701, 1082, 1114, 1184, 1700, 2950, 3802]
        return switch sql {
        case "smallint", "integer", "bigint": integers.contains(actual.oid)
        case "boolean": actual == .boolean
        case "real": actual == .real
        case "double precision": actual == .double || actual == .real
        case "text": !known.contains(actual.oid)
        case "uuid": actual == .uuid
        case "timestamptz", "date": [1082, 1114, 1184].contains(actual.oid)
        case "bytea": actual == .bytea
        case "jsonb": actual == .jsonb || actual == .json
        // A type this library does not know by name: the server's own check is all there is.
        default: true
        }
    }
}
