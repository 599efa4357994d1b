import PostgresModels

/// The numbered steps that made the tables what they are: none of them is ever changed, later ones are added.
enum JournalSteps {
    static let all = [
        Migration("1 journal and fields") { schema in
            for sql in first { try await schema.execute(sql) }
        },
        Migration("2 reservations") { schema in
            for sql in second { try await schema.execute(JournalSchema.statement(sql)) }
        },
        Migration("3 places of fields") { schema in
            for sql in third { try await schema.execute(JournalSchema.statement(sql)) }
        },
    ]

    private static let first: [SQL] = [
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

    /// Reservations of their own; an index for each question of the reaper, none of which a claim could choose; names
    /// by the thousand; fields that are found after renames and restores; the tables below them; the marks of storages.
    private static let second = [
        // What the first step made, and the definitions replace.
        #"""
        DROP FUNCTION IF EXISTS stored_files.build_triggers(stored_files.fields, regclass)
        """#,
        #"""
        DROP FUNCTION IF EXISTS stored_files.build_functions(stored_files.fields)
        """#,
        #"""
        DROP FUNCTION IF EXISTS stored_files.condemn_rows(stored_files.fields, regclass)
        """#,
        #"""
        CREATE TABLE stored_files.reservations (
            storage text COLLATE "C" NOT NULL,
            name text COLLATE "C" NOT NULL,
            until timestamptz NOT NULL,
            field bigint,
            is_image boolean NOT NULL DEFAULT false,
            PRIMARY KEY (storage, name)
        ) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000)
        """#,
        // Partial, so that a look-up by name cannot choose it: see the claims.
        #"""
        CREATE INDEX reservations_until ON stored_files.reservations (storage, until) WHERE until < 'infinity'
        """#,
        #"""
        COMMENT ON TABLE stored_files.reservations IS 'Names of files that are being uploaded, or that wait for the row that will name them.'
        """#,
        #"""
        ALTER TABLE stored_files.journal ADD COLUMN origin text
        """#,
        #"""
        DROP INDEX stored_files.journal_due
        """#,
        #"""
        CREATE INDEX journal_condemned ON stored_files.journal (storage, since) WHERE state = 'condemned'
        """#,
        #"""
        CREATE INDEX journal_leased ON stored_files.journal (storage, state, lease_until) WHERE state IN ('uploading',
            'deleting')
        """#,
        #"""
        CREATE INDEX journal_deleted ON stored_files.journal (storage, since) WHERE state = 'deleted'
        """#,
        #"""
        CREATE TABLE stored_files.let_go (
            storage text COLLATE "C" NOT NULL,
            since timestamptz NOT NULL DEFAULT clock_timestamp(),
            is_image boolean NOT NULL,
            names text[] NOT NULL
        ) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000)
        """#,
        // Uncompressed: the rows live for a moment, and compressing them would be a third of what a bulk DELETE costs.
        #"""
        ALTER TABLE stored_files.let_go ALTER COLUMN names SET STORAGE EXTERNAL
        """#,
        #"""
        COMMENT ON TABLE stored_files.let_go IS 'Names that rows let go of, up to a hundred thousand to a row; a reaper moves them into the journal.'
        """#,
        #"""
        ALTER TABLE stored_files.fields
            ALTER COLUMN relation TYPE oid,
            ADD COLUMN schema_name name,
            ADD COLUMN table_name name,
            ADD COLUMN former_tables text[] NOT NULL DEFAULT '{}',
            ADD COLUMN column_number smallint,
            ADD COLUMN width_number smallint,
            ADD COLUMN height_number smallint,
            ADD COLUMN origin text,
            ADD COLUMN ended_at timestamptz
        """#,
        #"""
        UPDATE stored_files.fields AS f SET schema_name = n.nspname, table_name = c.relname
            FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
                WHERE c.oid = f.relation
        """#,
        #"""
        CREATE TABLE stored_files.partitions (
            field bigint NOT NULL REFERENCES stored_files.fields ON DELETE CASCADE,
            relation oid NOT NULL,
            schema_name name NOT NULL,
            table_name name NOT NULL,
            origin text NOT NULL,
            PRIMARY KEY (field, relation)
        )
        """#,
        #"""
        COMMENT ON TABLE stored_files.partitions IS 'Tables that were seen below a field''s table: their rows count when they are detached, too.'
        """#,
        #"""
        CREATE TABLE stored_files.owners (
            storage text COLLATE "C" PRIMARY KEY,
            id text NOT NULL,
            system text NOT NULL,
            database oid NOT NULL,
            environment text,
            since timestamptz NOT NULL DEFAULT clock_timestamp()
        )
        """#,
        #"""
        COMMENT ON TABLE stored_files.owners IS 'The mark that each storage bears when this database decides about its files.'
        """#,
    ]

    /// Fields whose places are not unique: columns that swap their names, or a table that has the number of one that
    /// was dropped or restored elsewhere, do so for a moment.
    private static let third = [
        #"""
        ALTER TABLE stored_files.fields DROP CONSTRAINT IF EXISTS fields_relation_column_name_key
        """#,
        #"""
        CREATE INDEX fields_place ON stored_files.fields (relation, column_name)
        """#,
    ]
}
