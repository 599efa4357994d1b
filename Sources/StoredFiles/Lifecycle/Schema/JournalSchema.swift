import PostgresModels

/// The tables and functions in the schema `stored_files` that keep files and rows together.
///
/// What must hold for every writer of a row lives in the database: the triggers of a field, what builds them, and the
/// checks that need several statements in one transaction. Each of the functions says in the words of ARCHITECTURE.md
/// what it is for.
enum JournalSchema {
    /// The schema: its name is written down here, and meant by `stored_files` in all SQL of this folder.
    static let name = "stored_files"

    static let component = SchemaComponent(
        name: "journal",
        migrations: JournalSteps.all,
        definitions: definitions,
        requirements: [statement(EngineSQL.requirements)],
        upkeep: ["SELECT \(raw: name).renew()"],
        conclusion: ["SELECT \(raw: name).validate_sizes()"],
        before: { change in
            switch change {
            case .dropTable(let table):
                ["SELECT \(raw: name).untrack(\(regclass(table))::regclass, NULL, true)"]
            case .dropColumn(let column, let table):
                ["SELECT \(raw: name).untrack(\(regclass(table))::regclass, \(column), true)"]
            case .renameColumn:
                []
            }
        },
        after: { change in
            guard case .renameColumn(let column, let table, let newName) = change else { return [] }
            return ["SELECT \(raw: name).rename_column(\(regclass(table))::regclass, \(column), \(newName))"]
        }
    )

    /// The functions; a change of any of them needs another version, which a test asks for.
    static let definitions = SchemaDefinitions(
        version: 2,
        statements: functions.map(statement) + ["SELECT \(raw: name).renew(true)"]
    )

    static let functions =
        CatalogueSQL.functions + TriggerSQL.functions + TrackingSQL.functions + ReservationSQL.functions
        + ReapingSQL.functions

    /// A table's name as the server resolves it: quoted, so that it means what `ALTER TABLE` beside it means.
    static func regclass(_ table: String) -> String {
        "\"" + String(decoding: table.utf8.flatMap { $0 == 0x22 ? [0x22, 0x22] : [$0] }, as: UTF8.self) + "\""
    }

    /// SQL that names the schema, in the schema that is meant.
    static func statement(_ text: String) -> SQL {
        "\(raw: name == "stored_files" ? text : text.replacing("stored_files.", with: name + "."))"
    }
}
