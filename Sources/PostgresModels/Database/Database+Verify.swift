extension Database {
    /// Checks a model against its table: call it at start-up, rather than find out in a request.
    ///
    /// A column fits when the model's property can be read from it and written to it. A domain counts as the type it is
    /// made of. An enum is text that can be read but not written, unless the property's type says so
    /// (`DatabaseType(oid: 0)`, "whatever the column is", with a ``ColumnType`` of the enum's name).
    ///
    /// - Parameter model: The model.
    /// - Throws: One ``DatabaseError`` that names every missing column, every type the model cannot read and write,
    ///   every column that may be NULL where the model does not expect it, and what layers above miss, such as a
    ///   storage. Its code is `.missingColumn` when a column is missing, `.undefinedObject` without the table,
    ///   `.typeMismatch` otherwise.
    /// - Complexity: One statement.
    public func verify<M: Model>(_ model: M.Type) async throws {
        let found = try await columns(of: M.table)
        guard !found.isEmpty else {
            throw DatabaseError(
                code: .undefinedObject,
                message: "There is no table \"\(M.table)\" in the search path; run the migrations first.",
                table: M.table
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
            if !column.type.fits(actual) {
                problems.append("\"\(column.name)\" is \(actual.shown), the model expects \(column.type.sql)")
            } else if column.type == .timestamptz, actual.type != .timestamptz, pool.configuration.timeZone != "UTC" {
                problems.append(
                    "\"\(column.name)\" is \(actual.shown), which is no moment in a session without timeZone UTC"
                )
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

    private func columns(of table: String) async throws -> [String: ActualColumn] {
        let name = try Identifier.quoted(table)
        let rows = try await query(
            """
            WITH RECURSIVE columns AS (\
            SELECT attname, atttypid AS type, format_type(atttypid, atttypmod) AS shown, attnotnull AS required \
            FROM pg_attribute WHERE attrelid = to_regclass(\(name)) AND attnum > 0 AND NOT attisdropped \
            UNION ALL \
            SELECT attname, typbasetype, shown, required OR typnotnull \
            FROM columns JOIN pg_type ON pg_type.oid = type AND typtype = 'd') \
            SELECT attname::text AS name, type::bigint AS type, typname::text AS type_name, shown, required \
            FROM columns JOIN pg_type ON pg_type.oid = type AND typtype <> 'd'
            """
        )
        var found: [String: ActualColumn] = [:]
        for row in rows {
            found[try row.decode(String.self, named: "name")] = ActualColumn(
                type: DatabaseType(oid: try row.decode(UInt32.self, named: "type")),
                typeName: try row.decode(String.self, named: "type_name"),
                shown: try row.decode(String.self, named: "shown"),
                isRequired: try row.decode(Bool.self, named: "required")
            )
        }
        return found
    }
}
