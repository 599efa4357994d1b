import PostgresModels

/// The tables and functions in the schema `stored_files` that keep files and rows together.
///
/// What must hold whoever writes a row lives in the database: the triggers of a field, what builds them, and the checks
/// that need several statements in one transaction. Each of the functions says in ARCHITECTURE.md's words what it is for.
enum JournalSchema {
    /// The channel on which a storage's id is sent when the journal has got something to delete.
    static let channel = "stored_files"

    static let component = SchemaComponent(
        name: "journal",
        migrations: [
            Migration("1 journal and fields") { schema in
                for sql in tables + [TrackingSQL.buildFunctions, TrackingSQL.buildTriggers, TrackingSQL.relations] {
                    try await schema.execute(sql)
                }
                for sql in [TrackingSQL.track, TrackingSQL.condemnRows, TrackingSQL.untrack, TrackingSQL.renameColumn] {
                    try await schema.execute(sql)
                }
                for sql in [ReapingSQL.named, ReapingSQL.take, ReapingSQL.takeTombstones] {
                    try await schema.execute(sql)
                }
            }
        ],
        before: { change in
            switch change {
            case .dropTable(let table):
                ["SELECT stored_files.untrack(\(regclass(table))::regclass, NULL, true)"]
            case .dropColumn(let column, let table):
                ["SELECT stored_files.untrack(\(regclass(table))::regclass, \(column), true)"]
            case .renameColumn:
                []
            }
        },
        after: { change in
            guard case .renameColumn(let column, let table, let newName) = change else { return [] }
            return ["SELECT stored_files.rename_column(\(regclass(table))::regclass, \(column), \(newName))"]
        }
    )

    /// A table's name as the server resolves it: quoted, so that it means what `ALTER TABLE` beside it means.
    static func regclass(_ table: String) -> String {
        "\"" + String(decoding: table.utf8.flatMap { $0 == 0x22 ? [0x22, 0x22] : [$0] }, as: UTF8.self) + "\""
    }

    private static let tables: [SQL] = [
        """
        CREATE TABLE stored_files.journal (
            storage text COLLATE "C" NOT NULL,
            name text COLLATE "C" NOT NULL,
            state text NOT NULL CHECK (state IN ('uploading', 'condemned', 'deleting', 'deleted')),
            since timestamptz NOT NULL DEFAULT clock_timestamp(),
            lease_until timestamptz,
            transaction_id xid8,
            attempts integer NOT NULL DEFAULT 0,
            last_error text,
            is_image boolean NOT NULL DEFAULT false,
            PRIMARY KEY (storage, name)
        ) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000)
        """,
        "CREATE INDEX journal_due ON stored_files.journal (storage, state, since)",
        """
        COMMENT ON TABLE stored_files.journal IS
        'Names of files that are being uploaded or that no row names any more. A live file is not in it.'
        """,
        """
        CREATE TABLE stored_files.fields (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            relation regclass NOT NULL,
            column_name name NOT NULL,
            storage text NOT NULL,
            is_image boolean NOT NULL,
            width_column name,
            height_column name,
            CHECK ((width_column IS NULL) = (height_column IS NULL)),
            UNIQUE (relation, column_name)
        )
        """,
        """
        COMMENT ON TABLE stored_files.fields IS
        'The columns that name files, and the storage they name them in. Written by stored_files.track.'
        """,
    ]
}
