/// The functions that write a field's trigger functions and put its triggers in place.
enum TriggerSQL {
    /// The functions, in an order in which each is there when another is made that needs it.
    static let functions = [
        currentColumn, refuseName, buildFunctions, dropFunctions, letGoOf,
        sizeColumns, buildTriggers,
    ]

    /// The name that a field's column has now in a relation.
    private static let currentColumn = #"""
        CREATE OR REPLACE FUNCTION stored_files.current_column(field bigint, target oid, compiled name) RETURNS name
        LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $body$
            -- The condition of the field's own trigger knows the column under any name; without it, what is left is
            -- the name.
            SELECT a.attname FROM pg_attribute AS a WHERE a.attrelid = target AND a.attnum > 0 AND NOT a.attisdropped
            AND a.attname = coalesce((SELECT c.column_name FROM stored_files.carriers() AS c
                WHERE c.field = current_column.field AND c.column_name IS NOT NULL ORDER BY c.relation <> target
                    LIMIT 1), compiled)
        $body$
        """#

    /// Refuses a name that is being deleted, or was.
    private static let refuseName = #"""
        CREATE OR REPLACE FUNCTION stored_files.refuse_name(storage text, name text, target oid, column_name name)
        RETURNS void
        LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
        DECLARE
            place record;
        BEGIN
            SELECT n.nspname, c.relname INTO place FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
            WHERE c.oid = target;
            RAISE EXCEPTION USING ERRCODE = 'object_in_use', SCHEMA = place.nspname, TABLE = place.relname,
                COLUMN = column_name,
                MESSAGE = format('The file "%s" of the storage "%s" was given up and is being deleted', name, storage),
                HINT = 'Store the file again, and use its new name.';
        END
        $body$
        """#

    /// Writes the trigger functions of a field: SQL that is static per field, so that the server plans it once.
    ///
    /// `track_insert_N`, `track_delete_N` and `track_truncate_N` serve statements on tables that are not partitioned.
    /// `track_row_N` serves rows: UPDATE, whose condition keeps it away from all rows whose name stays, and everything
    /// on partitioned tables.
    /// - *Names that came* are claimed: their reservations and journal rows go. One that is being deleted, or was, ends
    ///   the statement with 55006. At REPEATABLE READ and above a DELETE does not see what was committed after the
    ///   snapshot; there an INSERT that does nothing on a conflict comes first, which fails with 40001 when the row in
    ///   the way cannot be seen.
    /// - *Names that went* are written to `let_go`, in the same transaction. It has no index, so that nobody waits for
    ///   anybody there; a reaper moves them into the journal.
    ///
    /// The statement functions read the column by its plain name, inside of a constant of the same name: a plan that is
    /// made anew after a rename by another program finds the constant, and the function looks the column up. That costs
    /// nothing.
    ///
    /// `SECURITY DEFINER`: who may write the table needs no rights on the journal. `enable_seqscan = off`: a plan made
    /// when the journal was empty must not scan it when it is not, and at SERIALIZABLE a scan conflicts with every
    /// other claim.
    private static let buildFunctions = #"""
        CREATE OR REPLACE FUNCTION stored_files.build_functions(field_id bigint) RETURNS void
        LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $build$
        DECLARE
            field stored_files.fields;
            -- The name that rows seem to have when the column has lost its own.
            renamed constant text := E'\001';
            taken text;
            look text;
            claim text;
            header constant text := 'CREATE OR REPLACE FUNCTION stored_files.%I() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER '
                'SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS %L';
        BEGIN
            SELECT f.* INTO field FROM stored_files.fields AS f WHERE f.id = field_id;
            -- A name that comes: its reservation goes, and what the journal has of it. Statements for one key each,
            -- because a plan for many that was made when the tables were small is kept when they are large. A
            -- reservation that was found says enough: a name that is being deleted has none, and a condemned one is
            -- looked up before it is marked.
            claim := format('DELETE FROM stored_files.reservations AS r WHERE r.storage = %L AND r.name = item;',
                field.storage);
            taken := format($text$
                                DELETE FROM stored_files.journal AS j WHERE j.storage = %1$L AND j.name = item
                                RETURNING j.state INTO state;
                                IF FOUND AND state IN ('deleting', 'deleted') THEN
                                    PERFORM stored_files.refuse_name(%1$L, item, TG_RELID, watched);
                                END IF;$text$, field.storage);
            look := format($text$
                            IF current_setting('transaction_isolation') = 'read committed' THEN%2$s
                            ELSE
                                -- Fails with 40001 when there is a row that was committed after the snapshot.
                                INSERT INTO stored_files.journal (storage, name, state) VALUES (%1$L, item, 'uploading')
                                ON CONFLICT DO NOTHING RETURNING ctid INTO probe;
                                IF FOUND THEN
                                    -- By its place, which reads no page of the index: a SERIALIZABLE claim of another
                                    -- name would conflict with the reading.
                                    DELETE FROM stored_files.journal AS j WHERE j.ctid = probe;
                                ELSE%2$s
                                END IF;
                            END IF;$text$, field.storage, taken);
            EXECUTE format(header, 'track_insert_' || field.id, format($text$
                #variable_conflict use_column
                DECLARE
                    watched name := %1$L;
                    item text;
                    items text[];
                    missing integer := 0;
                    probe tid;
                    state text;
                BEGIN
                    FOR item IN
                        SELECT x.name FROM (SELECT %2$L::text AS %1$I) AS d,
                            LATERAL (SELECT %1$I::text AS name FROM new_rows AS n) AS x
                        WHERE x.name <> '' AND octet_length(x.name) <= 1024
                    LOOP
                        %3$s
                        CONTINUE WHEN FOUND;
                        missing := missing + 1;
                        IF missing > 100 OR item = %2$L THEN
                            IF item = %2$L THEN
                                watched := stored_files.current_column(%4$s, TG_RELID, %1$L);
                                IF watched IS NULL THEN
                                    -- Dropped: there is nothing to watch any more.
                                    RETURN NULL;
                                END IF;
                            END IF;
                            -- Many: planned for the rows there are now. Only SERIALIZABLE must not read what others
                            -- write. The price that is put on a scan would start the JIT compiler.
                            PERFORM set_config('enable_seqscan', 'on', true)
                            WHERE current_setting('transaction_isolation') <> 'serializable';
                            state := current_setting('jit');
                            PERFORM set_config('jit', 'off', true);
                            EXECUTE format('DELETE FROM stored_files.reservations AS r USING new_rows AS n '
                                'WHERE r.storage = %%2$L AND r.name = n.%%1$I::text COLLATE "C"', watched, %5$L);
                            IF current_setting('transaction_isolation') <> 'read committed' THEN
                                EXECUTE format('WITH came AS (SELECT DISTINCT n.%%1$I::text COLLATE "C" AS name FROM new_rows AS n '
                                    'WHERE n.%%1$I <> '''' AND octet_length(n.%%1$I::text) <= 1024), '
                                    'probes AS (INSERT INTO stored_files.journal (storage, name, state) '
                                    'SELECT %%2$L, c.name, ''uploading'' FROM came AS c ON CONFLICT DO NOTHING RETURNING ctid) '
                                    'SELECT ARRAY(SELECT p.ctid::text FROM probes AS p), '
                                    '(SELECT count(*) FROM came) - (SELECT count(*) FROM probes)',
                                    watched, %5$L) INTO items, missing;
                                DELETE FROM stored_files.journal AS j WHERE j.ctid = ANY (items::tid[]);
                            END IF;
                            item := NULL;
                            IF missing > 0 THEN
                                EXECUTE format('WITH claimed AS (DELETE FROM stored_files.journal AS j USING new_rows AS n '
                                    'WHERE j.storage = %%2$L AND j.name = n.%%1$I::text COLLATE "C" RETURNING j.name, j.state) '
                                    'SELECT c.name FROM claimed AS c WHERE c.state IN (''deleting'', ''deleted'') LIMIT 1',
                                    watched, %5$L) INTO item;
                            END IF;
                            PERFORM set_config('jit', state, true);
                            IF item IS NOT NULL THEN
                                PERFORM stored_files.refuse_name(%5$L, item, TG_RELID, watched);
                            END IF;
                            RETURN NULL;
                        END IF;%6$s
                    END LOOP;
                    RETURN NULL;
                END
                $text$, field.column_name, renamed, claim, field.id, field.storage, look));
            EXECUTE format(header, 'track_delete_' || field.id, format($text$
                #variable_conflict use_column
                DECLARE
                    watched name := %1$L;
                    items text[];
                    jit text;
                BEGIN
                    items := ARRAY(
                        SELECT x.name FROM (SELECT %2$L::text AS %1$I) AS d,
                            LATERAL (SELECT %1$I::text AS name FROM old_rows AS n) AS x
                        WHERE x.name <> '' AND octet_length(x.name) <= 1024 LIMIT 100001
                    );
                    IF cardinality(items) BETWEEN 1 AND 100000 AND items[1] <> %2$L THEN
                        INSERT INTO stored_files.let_go (storage, is_image, names) VALUES (%3$L, %4$L, items);
                    ELSIF cardinality(items) > 0 THEN
                        IF items[1] = %2$L THEN
                            watched := stored_files.current_column(%5$s, TG_RELID, %1$L);
                        END IF;
                        IF watched IS NOT NULL THEN
                            items := NULL;
                            PERFORM set_config('enable_seqscan', 'on', true);
                            jit := current_setting('jit');
                            PERFORM set_config('jit', 'off', true);
                            EXECUTE format('INSERT INTO stored_files.let_go (storage, is_image, names) '
                                'SELECT %%2$L, %%3$L, array_agg(x.name) FROM (SELECT o.%%1$I::text AS name, '
                                '(row_number() OVER () - 1) / 1000 AS part FROM old_rows AS o WHERE o.%%1$I <> '''' '
                                'AND octet_length(o.%%1$I::text) <= 1024) AS x GROUP BY x.part', watched, %3$L,
                                %4$L::boolean);
                            PERFORM set_config('jit', jit, true);
                        END IF;
                    END IF;
                    RETURN NULL;
                END
                $text$, field.column_name, renamed, field.storage, field.is_image, field.id));
            EXECUTE format(header, 'track_truncate_' || field.id, format($text$
                DECLARE
                    watched name := stored_files.current_column(%2$s, TG_RELID, %1$L);
                BEGIN
                    IF watched IS NULL THEN
                        RETURN NULL;
                    END IF;
                    IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
                        RAISE EXCEPTION USING ERRCODE = 'feature_not_supported',
                            MESSAGE = format('TRUNCATE of %%s, whose rows name files, needs READ COMMITTED: rows that '
                                'this transaction cannot see would leave their files behind', TG_RELID::regclass),
                            HINT = 'Use DELETE, or READ COMMITTED.';
                    END IF;
                    PERFORM stored_files.let_go_of(%2$s, TG_RELID, watched);
                    RETURN NULL;
                END
                $text$, field.column_name, field.id));
            EXECUTE format(header, 'track_row_' || field.id, format($text$
                DECLARE
                    watched name := %1$L;
                    is_renamed boolean := false;
                    item text;
                    probe tid;
                    state text;
                BEGIN
                    -- A rename by another program leaves the triggers where they are. The second look is for partitions,
                    -- in which the column may have another number.
                    IF (pg_identify_object(1259, TG_RELID, %2$s)).identity NOT LIKE %3$L THEN
                        is_renamed := 2 > (SELECT count(*) FROM pg_attribute AS a
                            WHERE a.attname = %1$L AND NOT a.attisdropped AND (a.attrelid = TG_RELID
                                OR a.attrelid = %4$s AND a.attnum = %2$s AND a.attrelid <> TG_RELID));
                        IF is_renamed THEN
                            watched := stored_files.current_column(%5$s, TG_RELID, %1$L);
                            IF watched IS NULL THEN
                                RETURN NULL;
                            END IF;
                        END IF;
                    END IF;
                    IF TG_OP <> 'DELETE' THEN
                        IF is_renamed THEN
                            EXECUTE format('SELECT ($1).%%I::text', watched) INTO item USING NEW;
                        ELSE
                            item := NEW.%1$I;
                        END IF;
                        IF item <> '' AND octet_length(item) <= 1024 THEN
                            %6$s
                            IF NOT FOUND THEN%7$s
                            END IF;
                        END IF;
                    END IF;
                    IF TG_OP <> 'INSERT' THEN
                        IF is_renamed THEN
                            EXECUTE format('SELECT ($1).%%I::text', watched) INTO item USING OLD;
                        ELSE
                            item := OLD.%1$I;
                        END IF;
                        IF item <> '' AND octet_length(item) <= 1024 THEN
                            INSERT INTO stored_files.let_go (storage, is_image, names)
                            VALUES (%8$L, %9$L, ARRAY[item]);
                        END IF;
                    END IF;
                    RETURN NULL;
                END
                $text$, field.column_name, coalesce(field.column_number, 0), '%.' || replace(replace(replace(
                    quote_ident(field.column_name), '\', '\\'), '%', '\%'), '_', '\_'), field.relation, field.id, claim,
                look, field.storage, field.is_image));
            -- Whoever can call them could hang them onto a table of his own, and claim or condemn any name.
            EXECUTE format('REVOKE ALL ON FUNCTION stored_files.%I(), stored_files.%I(), stored_files.%I(), stored_files.%I() '
                'FROM PUBLIC', 'track_insert_' || field.id, 'track_delete_' || field.id, 'track_truncate_' || field.id,
                'track_row_' || field.id);
            IF field.width_column IS NOT NULL THEN
                EXECUTE format(
                    'CREATE OR REPLACE FUNCTION stored_files.%I() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER '
                    'SET search_path = pg_catalog, pg_temp AS %L',
                    'forget_size_' || field.id,
                    format($text$
                        DECLARE
                            sizes text[];
                        BEGIN
                            IF 2 = (SELECT count(*) FROM pg_attribute AS a WHERE a.attrelid = TG_RELID
                                AND a.attname IN (%1$L, %2$L)) THEN
                                NEW.%1$I := NULL;
                                NEW.%2$I := NULL;
                                RETURN NEW;
                            END IF;
                            -- Renamed by another program: the condition of the trigger still knows the columns.
                            sizes := stored_files.size_columns(%3$s);
                            NEW := jsonb_populate_record(NEW, jsonb_build_object(sizes[1], NULL, sizes[2], NULL));
                            RETURN NEW;
                        END
                        $text$, field.width_column, field.height_column, field.id));
                EXECUTE format('REVOKE ALL ON FUNCTION stored_files.%I() FROM PUBLIC', 'forget_size_' || field.id);
            END IF;
        END
        $build$
        """#

    /// Drops the trigger functions of a field, and with them its triggers.
    private static let dropFunctions = #"""
        CREATE OR REPLACE FUNCTION stored_files.drop_functions(field_id bigint) RETURNS void
        LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $body$
        DECLARE
            found record;
        BEGIN
            FOR found IN SELECT p.proname FROM pg_proc AS p WHERE p.pronamespace = 'stored_files'::regnamespace
                AND p.proname ~ ('^(track|track_insert|track_delete|track_truncate|track_row|forget_size)_' || field_id || '$')
            LOOP
                EXECUTE format('DROP FUNCTION stored_files.%I() CASCADE', found.proname);
            END LOOP;
        END
        $body$
        """#

    /// Writes down all names in a table, by the thousand to a row.
    private static let letGoOf = #"""
        CREATE OR REPLACE FUNCTION stored_files.let_go_of(field_id bigint, target oid, column_name name) RETURNS void
        LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET row_security = off AS $body$
        DECLARE
            field stored_files.fields;
        BEGIN
            SELECT f.* INTO field FROM stored_files.fields AS f WHERE f.id = field_id;
            EXECUTE format('INSERT INTO stored_files.let_go (storage, is_image, names) '
                'SELECT %2$L, %3$L, array_agg(x.name) FROM (SELECT t.%1$I::text AS name, '
                '(row_number() OVER () - 1) / 1000 AS part FROM %4$s AS t WHERE t.%1$I <> '''' '
                'AND octet_length(t.%1$I::text) <= 1024) AS x GROUP BY x.part',
                column_name, field.storage, field.is_image, target::regclass);
        END
        $body$
        """#

    /// The size columns of a field under the names they have now.
    private static let sizeColumns = #"""
        CREATE OR REPLACE FUNCTION stored_files.size_columns(field_id bigint) RETURNS text[]
        LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $body$
            SELECT array_agg(a.attname::text ORDER BY a.attnum) FROM pg_trigger AS t
            JOIN pg_depend AS d ON d.classid = 'pg_trigger'::regclass AND d.objid = t.oid
                AND d.refclassid = 'pg_class'::regclass AND d.refobjid = t.tgrelid AND d.refobjsubid > 0
            JOIN pg_attribute AS a ON a.attrelid = t.tgrelid AND a.attnum = d.refobjsubid
            WHERE t.tgname = 'zz_stored_file_' || field_id || '_forget_size' AND t.tgparentid = 0
            AND a.attname <> (SELECT c.column_name FROM stored_files.carriers() AS c
                WHERE c.field = field_id AND c.relation = t.tgrelid)
        $body$
        """#

    /// Puts the triggers of a field onto its table, and TRUNCATE's onto every partition.
    private static let buildTriggers = #"""
        CREATE OR REPLACE FUNCTION stored_files.build_triggers(field_id bigint) RETURNS void
        LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $build$
        DECLARE
            field stored_files.fields;
            target record;
            is_partitioned boolean;
            size_trigger text := 'zz_stored_file_' || field_id || '_forget_size';
            parts constant text := '%1$I %2$s ON %3$s %4$s EXECUTE FUNCTION stored_files.%5$I()';
            changed text;
        BEGIN
            SELECT f.* INTO field FROM stored_files.fields AS f WHERE f.id = field_id;
            is_partitioned := (SELECT c.relkind = 'p' FROM pg_class AS c WHERE c.oid = field.relation);
            -- By bytes: a column that ignores case has another name all the same.
            changed := format('OLD.%1$I::text COLLATE "C" IS DISTINCT FROM NEW.%1$I::text COLLATE "C"',
                field.column_name);
            -- All of them first: partitions get copies of what is put onto their parent. What is a copy goes with the
            -- original.
            FOR target IN
                SELECT t.tgrelid::regclass AS relation, t.tgname FROM pg_trigger AS t
                WHERE t.tgrelid IN (SELECT r FROM stored_files.relations(field.relation::regclass) AS r)
                    AND t.tgparentid = 0
                AND t.tgname IN (SELECT format('stored_file_%s_%s', field_id, e)
                    FROM unnest(ARRAY['insert', 'update', 'delete', 'truncate']) AS e)
            LOOP
                EXECUTE format('DROP TRIGGER %I ON %s', target.tgname, target.relation);
            END LOOP;
            FOR target IN
                SELECT r AS relation, c.relispartition, c.relkind
                    FROM stored_files.relations(field.relation::regclass) AS r
                JOIN pg_class AS c ON c.oid = r ORDER BY r <> field.relation
            LOOP
                IF target.relkind <> 'f' THEN
                    EXECUTE format('CREATE TRIGGER ' || parts, format('stored_file_%s_truncate', field_id),
                        'BEFORE TRUNCATE',
                        target.relation, 'FOR EACH STATEMENT', 'track_truncate_' || field_id);
                END IF;
                CONTINUE WHEN target.relispartition;
                EXECUTE format('CREATE TRIGGER ' || parts, format('stored_file_%s_update', field_id), 'AFTER UPDATE',
                    target.relation, format('FOR EACH ROW WHEN (%s)', changed), 'track_row_' || field_id);
                IF is_partitioned THEN
                    -- Row by row: partitions that come later get copies, MERGE fires them, and foreign tables may be
                    -- among them.
                    EXECUTE format('CREATE TRIGGER ' || parts, format('stored_file_%s_insert', field_id),
                        'AFTER INSERT',
                        target.relation, format('FOR EACH ROW WHEN (NEW.%I IS NOT NULL)', field.column_name),
                            'track_row_' || field_id);
                    EXECUTE format('CREATE TRIGGER ' || parts, format('stored_file_%s_delete', field_id),
                        'AFTER DELETE',
                        target.relation, format('FOR EACH ROW WHEN (OLD.%I IS NOT NULL)', field.column_name),
                            'track_row_' || field_id);
                ELSE
                    EXECUTE format('CREATE TRIGGER ' || parts, format('stored_file_%s_insert', field_id),
                        'AFTER INSERT',
                        target.relation, 'REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT',
                            'track_insert_' || field_id);
                    EXECUTE format('CREATE TRIGGER ' || parts, format('stored_file_%s_delete', field_id),
                        'AFTER DELETE',
                        target.relation, 'REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT',
                            'track_delete_' || field_id);
                END IF;
                -- Writes that a subscription applies claim their files, too.
                EXECUTE format('ALTER TABLE %1$s ENABLE ALWAYS TRIGGER %2$I, ENABLE ALWAYS TRIGGER %3$I',
                    target.relation, format('stored_file_%s_insert', field_id), format('stored_file_%s_update',
                        field_id));
                CONTINUE WHEN field.width_column IS NULL;
                -- A WHEN condition rather than UPDATE OF: that does not see a name that another BEFORE trigger has set.
                -- Triggers fire in the order of their names, so this one comes late.
                EXECUTE format('DROP TRIGGER IF EXISTS %I ON %s', size_trigger, target.relation);
                EXECUTE format(
                    'CREATE TRIGGER %1$I BEFORE UPDATE ON %2$s FOR EACH ROW WHEN (%3$s AND OLD.%4$I IS NOT DISTINCT FROM NEW.%4$I '
                    'AND OLD.%5$I IS NOT DISTINCT FROM NEW.%5$I) EXECUTE FUNCTION stored_files.%6$I()',
                    size_trigger, target.relation, changed, field.width_column, field.height_column,
                        'forget_size_' || field_id);
            END LOOP;
            -- What an earlier version had for all statements.
            EXECUTE format('DROP FUNCTION IF EXISTS stored_files.%I()', 'track_' || field_id);
        END
        $build$
        """#
}
