import StoredFiles

/// Faults of the library that can be put into the databases, to see that a run finds them.
enum Sabotage: String, CaseIterable, Sendable {
    /// The trigger that notes deleted rows is missing.
    case trigger
    /// The reaper does not look whether a row names a file that it is about to delete.
    case look
    /// The reaper does not wait for transactions that may name it.
    case wait
    /// Files that are being deleted can be named.
    case claim
    /// The writes of the reaper are not on disk when it deletes files.
    case durable

    /// Puts the fault in, again and again: migrations would mend some.
    func commit(in database: Database) async throws {
        switch self {
        case .trigger:
            try await database.execute(
                """
                DO $$ DECLARE t text; BEGIN FOR t IN SELECT tgname FROM pg_trigger WHERE tgrelid = to_regclass('notes') \
                AND tgname ~ '^stored_file.*_delete$' LOOP EXECUTE format('DROP TRIGGER %I ON notes', t); END LOOP; END $$
                """
            )
        case .look:
            try await change(
                "take(text,integer,interval,text)",
                "live := ARRAY(SELECT DISTINCT n FROM stored_files.named(take.storage, locked) AS n);",
                "live := '{}';",
                in: database
            )
        case .wait:
            try await change(
                "take(text,integer,interval,text)",
                "j.transaction_id < pg_snapshot_xmin(snapshot)",
                "true",
                in: database
            )
        case .claim:
            try await change(
                "refuse_name(text,text,oid,name)",
                "RAISE EXCEPTION USING",
                "RAISE NOTICE USING",
                in: database
            )
        case .durable:
            try await change("be_durable()", "= 'off'", "= 'never'", in: database)
        }
    }

    private func change(_ function: String, _ right: String, _ wrong: String, in database: Database) async throws {
        let rows = try await database.query(
            "SELECT pg_get_functiondef(\("stored_files.\(function)")::regprocedure)"
        )
        guard let text = try rows.first?.decode(String.self, at: 0) else { throw ChaosError("no function \(function)") }
        guard text.contains(right) || text.contains(wrong) else {
            throw ChaosError("the sabotage \(self) fits stored_files.\(function) no longer")
        }
        try await database.execute("\(raw: text.replacing(right, with: wrong))")
    }
}

/// Notes what happens to the journal, for whoever looks into a violation; not by default, because it changes the
/// timing.
enum Audit {
    static func install(in database: Database) async throws {
        for statement in [
            """
            CREATE TABLE chaos_audit (at timestamptz DEFAULT clock_timestamp(), operation text, name text, state text, \
            transaction xid8 DEFAULT pg_current_xact_id(), pid integer DEFAULT pg_backend_pid())
            """,
            """
            CREATE FUNCTION chaos_audit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$ \
            DECLARE r jsonb := to_jsonb(CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END); BEGIN \
            INSERT INTO chaos_audit (operation, name, state) \
            VALUES (TG_TABLE_NAME || ' ' || TG_OP, r->>'name', r->>'state'); RETURN NULL; END $$
            """,
            """
            CREATE TRIGGER chaos_audit AFTER INSERT OR UPDATE OR DELETE ON stored_files.journal \
            FOR EACH ROW EXECUTE FUNCTION chaos_audit()
            """,
            """
            CREATE TRIGGER chaos_audit AFTER INSERT OR UPDATE OR DELETE ON stored_files.reservations \
            FOR EACH ROW EXECUTE FUNCTION chaos_audit()
            """,
        ] as [SQL] {
            try await database.execute(statement)
        }
    }

    static func isOn(_ database: Database) async throws -> Bool {
        let rows = try await database.query("SELECT to_regclass('chaos_audit') IS NOT NULL")
        return try rows.first?.decode(Bool.self, at: 0) ?? false
    }

    static func clear(_ database: Database) async throws {
        if try await isOn(database) { try await database.execute("TRUNCATE chaos_audit") }
    }
}
