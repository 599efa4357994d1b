/// The functions that write a field's trigger functions and put its triggers in place.
enum TriggerSQL {
    /// The functions, in an order in which each is there when another is made that needs it.
    static let functions = [
        currentColumn, claimed, buildFunctions, condemnMany, letGoOf,
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

    /// What a claim that met a row of the journal comes to.
    private static let claimed = #"""
        CREATE OR REPLACE FUNCTION stored_files.claimed(
            storage text, name text, is_image boolean, state text, condemner xid8, target oid, column_name name
        ) RETURNS void
        LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET row_security = off AS $body$
        DECLARE
            is_there boolean;
            place record;
        BEGIN
            IF state IN ('deleting', 'deleted') THEN
                SELECT n.nspname, c.relname INTO place FROM pg_class AS c
                    JOIN pg_namespace AS n ON n.oid = c.relnamespace
                WHERE c.oid = target;
                RAISE EXCEPTION USING ERRCODE = 'object_in_use', SCHEMA = place.nspname, TABLE = place.relname,
                    COLUMN = column_name,
                    MESSAGE = format('The file "%s" of the storage "%s" was given up and is being deleted', name,
                        storage),
                    HINT = 'Store the file again, and use its new name.';
            ELSIF state = 'condemned' AND condemner = pg_current_xact_id() THEN
                -- Another trigger may have deleted the row, or put back the name, before this one was fired.
                EXECUTE format('SELECT EXISTS (SELECT FROM %s AS t WHERE t.%I::text COLLATE "C" = $1)',
                    target::regclass, column_name)
                INTO is_there USING name;
                IF NOT is_there THEN
                    INSERT INTO stored_files.journal (storage, name, state, is_image, transaction_id)
                    VALUES (claimed.storage, claimed.name, 'condemned', claimed.is_image, claimed.condemner);
                END IF;
            END IF;
        END
        $body$
        """#

    /// Writes the trigger functions of a field: SQL that is static per field, so that the server plans it once.
    ///
    /// `track_N` serves statements: INSERT and DELETE of tables that are not partitioned, and TRUNCATE. `track_row_N` serves rows:
    /// UPDATE, whose condition keeps it away from all rows whose name stays, and everything on partitioned tables.
    /// - *Names that came* are claimed: their reservations and journal rows go. One that is being deleted, or was, ends the
    ///   statement with 55006. At REPEATABLE READ and above a DELETE does not see what was committed after the snapshot; there
    ///   an INSERT that does nothing on a conflict comes first, which fails with 40001 when the row in the way cannot be seen.
    /// - *Names that went* are condemned, in the same transaction.
    ///
    /// `SECURITY DEFINER`: who may write the table needs no rights on the journal. `enable_seqscan = off`: a plan made when the
    /// journal was empty must not scan it when it is not, and at SERIALIZABLE a scan conflicts with every other claim; the
    /// price that it puts on a scan would start the JIT compiler.
    private static let buildFunctions = #"""
        CREATE OR REPLACE FUNCTION stored_files.build_functions(field_id bigint) RETURNS void
        LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $build$
        DECLARE
            field stored_files.fields;
            is_renamed text;
            claim text;
            condemn text;
            body text;
            header constant text := 'CREATE OR REPLACE FUNCTION stored_files.%I() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER '
                'SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS %L';
        BEGIN
            SELECT f.* INTO field FROM stored_files.fields AS f WHERE f.id = field_id;
            -- Whether the column has another name than the body was written with: a rename by another program leaves
            -- the
            -- triggers where they are. The second look is for partitions, in which the column may have another number.
            is_renamed := format($text$(pg_identify_object(1259, TG_RELID, %1$s)).identity NOT LIKE %2$L
                        AND 2 > (SELECT count(*) FROM pg_attribute AS a WHERE a.attname = %3$L AND NOT a.attisdropped
                            AND (a.attrelid = TG_RELID OR a.attrelid = %4$s AND a.attnum = %1$s
                                AND a.attrelid <> TG_RELID))$text$,
                coalesce(field.column_number, 0), '%.' || replace(replace(replace(quote_ident(field.column_name),
                    '\', '\\'), '%', '\%'), '_', '\_'), field.column_name, field.relation);
            -- A name that comes: its reservation goes, and what the journal has of it. Statements for one key each,
            -- because a
            -- plan for many that was made when the tables were small is kept when they are large. A reservation that
            -- was found
            -- says enough: a name that is being deleted has none, and a condemned one is looked up before it is marked.
            claim := format($text$
                            DELETE FROM stored_files.reservations AS r WHERE r.storage = %1$L AND r.name = item;
                            IF NOT FOUND THEN
                                probe := NULL;
                                IF current_setting('transaction_isolation') NOT IN ('read committed',
                                    'read uncommitted') THEN
                                    -- Fails with 40001 when there is a row that was committed after the snapshot.
                                    INSERT INTO stored_files.journal (storage, name, state) VALUES (%1$L, item,
                                        'uploading')
                                    ON CONFLICT DO NOTHING RETURNING ctid INTO probe;
                                END IF;
                                IF probe IS NOT NULL THEN
                                    -- By its place, which reads no page of the index: a SERIALIZABLE claim of another
                                    -- name would
                                    -- conflict with the reading.
                                    DELETE FROM stored_files.journal AS j WHERE j.ctid = probe;
                                ELSE
                                    DELETE FROM stored_files.journal AS j WHERE j.storage = %1$L AND j.name = item
                                    RETURNING j.state, j.transaction_id INTO state, condemner;
                                    IF FOUND THEN
                                        PERFORM stored_files.claimed(%1$L, item, %2$L, state, condemner, TG_RELID,
                                            watched);
                                    END IF;
                                END IF;
                            END IF;$text$, field.storage, field.is_image);
            condemn := format($text$
                            INSERT INTO stored_files.journal AS j (storage, name, state, is_image, transaction_id)
                            VALUES (%1$L, item, 'condemned', %2$L, pg_current_xact_id())
                            ON CONFLICT (storage, name) DO UPDATE
                            SET state = 'condemned', since = EXCLUDED.since, lease_until = NULL,
                                is_image = EXCLUDED.is_image,
                                transaction_id = EXCLUDED.transaction_id
                            WHERE j.state IN ('uploading', 'condemned') OR j.state = 'deleting'
                                AND j.attempts = 0;$text$,
                field.storage, field.is_image);
            body := format($text$
                DECLARE
                    watched name := %1$L;
                    items text[];
                    item text;
                    probe tid;
                    state text;
                    condemner xid8;
                BEGIN
                    IF %2$s THEN
                        watched := stored_files.current_column(%3$s, TG_RELID, %1$L);
                        IF watched IS NULL THEN
                            -- Dropped: there is nothing to watch any more.
                            RETURN NULL;
                        END IF;
                    END IF;
                    IF TG_OP = 'INSERT' THEN
                        IF watched = %1$L THEN
                            items := ARRAY(SELECT n.%1$I::text FROM new_rows AS n
                                WHERE n.%1$I <> '' AND octet_length(n.%1$I::text) <= 1024 LIMIT 101);
                        ELSE
                            EXECUTE format('SELECT ARRAY(SELECT n.%%1$I::text FROM new_rows AS n '
                                'WHERE n.%%1$I <> '''' AND octet_length(n.%%1$I::text) <= 1024 LIMIT 101)', watched)
                                    INTO items;
                        END IF;
                        IF cardinality(items) <= 100 THEN
                            FOREACH item IN ARRAY items LOOP%4$s
                            END LOOP;
                            RETURN NULL;
                        END IF;
                        -- Many: planned for the rows there are now. Only SERIALIZABLE must not read what others write.
                        PERFORM set_config('enable_seqscan', 'on', true)
                        WHERE current_setting('transaction_isolation') <> 'serializable';
                        EXECUTE format('DELETE FROM stored_files.reservations AS r USING new_rows AS n '
                            'WHERE r.storage = %%2$L AND r.name = n.%%1$I::text COLLATE "C"', watched, %5$L);
                        IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
                            EXECUTE format('WITH came AS (SELECT DISTINCT n.%%1$I::text COLLATE "C" AS name FROM new_rows AS n '
                                'WHERE n.%%1$I <> '''' AND octet_length(n.%%1$I::text) <= 1024), '
                                'probes AS (INSERT INTO stored_files.journal (storage, name, state) '
                                'SELECT %%2$L, c.name, ''uploading'' FROM came AS c ON CONFLICT DO NOTHING RETURNING ctid) '
                                'SELECT ARRAY(SELECT p.ctid::text FROM probes AS p), '
                                'CASE WHEN (SELECT count(*) FROM came) > (SELECT count(*) FROM probes) THEN ''some'' END',
                                watched, %5$L) INTO items, state;
                            DELETE FROM stored_files.journal AS j WHERE j.ctid = ANY (items::tid[]);
                            IF state IS NULL THEN
                                RETURN NULL;
                            END IF;
                        END IF;
                        EXECUTE format('WITH claimed AS (DELETE FROM stored_files.journal AS j USING new_rows AS n '
                            'WHERE j.storage = %%2$L AND j.name = n.%%1$I::text COLLATE "C" '
                            'AND NOT (j.state = ''condemned'' AND j.transaction_id = pg_current_xact_id() '
                            'AND NOT EXISTS (SELECT FROM %%3$s AS t WHERE t.%%1$I::text COLLATE "C" = j.name)) '
                            'RETURNING j.name, j.state) '
                            'SELECT c.name, c.state FROM claimed AS c WHERE c.state IN (''deleting'', ''deleted'') LIMIT 1',
                            watched, %5$L, TG_RELID::regclass) INTO item, state;
                        IF item IS NOT NULL THEN
                            PERFORM stored_files.claimed(%5$L, item, %6$L, state, NULL, TG_RELID, watched);
                        END IF;
                    ELSIF TG_OP = 'DELETE' THEN
                        IF watched = %1$L THEN
                            items := ARRAY(SELECT o.%1$I::text FROM old_rows AS o
                                WHERE o.%1$I <> '' AND octet_length(o.%1$I::text) <= 1024 LIMIT 1001);
                        ELSE
                            EXECUTE format('SELECT ARRAY(SELECT o.%%1$I::text FROM old_rows AS o '
                                'WHERE o.%%1$I <> '''' AND octet_length(o.%%1$I::text) <= 1024 LIMIT 1001)', watched)
                                    INTO items;
                        END IF;
                        IF cardinality(items) <= 10 THEN
                            FOREACH item IN ARRAY items LOOP%7$s
                            END LOOP;
                        ELSIF cardinality(items) <= 1000 THEN
                            PERFORM stored_files.condemn_many(%5$L, %6$L, items);
                        ELSE
                            PERFORM set_config('enable_seqscan', 'on', true);
                            -- By the thousand to a row, without an index on the names: a reaper moves them into the
                            -- journal.
                            EXECUTE format('INSERT INTO stored_files.let_go (storage, is_image, names) '
                                'SELECT %%2$L, %%3$L, array_agg(x.name) FROM (SELECT o.%%1$I::text AS name, '
                                '(row_number() OVER () - 1) / 1000 AS part FROM old_rows AS o WHERE o.%%1$I <> '''' '
                                'AND octet_length(o.%%1$I::text) <= 1024) AS x GROUP BY x.part', watched, %5$L,
                                    %6$L::boolean);
                        END IF;
                    ELSIF TG_OP = 'TRUNCATE' THEN
                        IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
                            RAISE EXCEPTION USING ERRCODE = 'feature_not_supported',
                                MESSAGE = format('TRUNCATE of %%s, whose rows name files, needs READ COMMITTED: rows that '
                                    'this transaction cannot see would leave their files behind', TG_RELID::regclass),
                                HINT = 'Use DELETE, or READ COMMITTED.';
                        END IF;
                        PERFORM stored_files.let_go_of(%3$s, TG_RELID, watched);
                    END IF;
                    RETURN NULL;
                END
                $text$, field.column_name, is_renamed, field.id, claim, field.storage, field.is_image, condemn);
            EXECUTE format(header, 'track_' || field.id, body);
            body := format($text$
                DECLARE
                    watched name := %1$L;
                    came text;
                    went text;
                    item text;
                    probe tid;
                    state text;
                    condemner xid8;
                BEGIN
                    IF %2$s THEN
                        watched := stored_files.current_column(%3$s, TG_RELID, %1$L);
                        IF watched IS NULL THEN
                            RETURN NULL;
                        END IF;
                        IF TG_OP <> 'DELETE' THEN
                            EXECUTE format('SELECT ($1).%%I::text', watched) INTO came USING NEW;
                        END IF;
                        IF TG_OP <> 'INSERT' THEN
                            EXECUTE format('SELECT ($1).%%I::text', watched) INTO went USING OLD;
                        END IF;
                    ELSE
                        IF TG_OP <> 'DELETE' THEN
                            came := NEW.%1$I;
                        END IF;
                        IF TG_OP <> 'INSERT' THEN
                            went := OLD.%1$I;
                        END IF;
                    END IF;
                    IF came <> '' AND octet_length(came) <= 1024 THEN
                        item := came;%4$s
                    END IF;
                    IF went <> '' AND octet_length(went) <= 1024 THEN
                        item := went;%5$s
                    END IF;
                    RETURN NULL;
                END
                $text$, field.column_name, is_renamed, field.id, claim, condemn);
            EXECUTE format(header, 'track_row_' || field.id, body);
            -- Whoever can call them could hang them onto a table of his own, and claim or condemn any name.
            EXECUTE format('REVOKE ALL ON FUNCTION stored_files.%I(), stored_files.%I() FROM PUBLIC',
                'track_' || field.id, 'track_row_' || field.id);
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

    /// Condemns some hundred names.
    private static let condemnMany = #"""
        CREATE OR REPLACE FUNCTION stored_files.condemn_many(storage text, is_image boolean, names text[]) RETURNS void
        LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
        BEGIN
            -- Planned for the names there are: a plan that is kept may have been made for a small journal.
            EXECUTE 'INSERT INTO stored_files.journal AS j (storage, name, state, is_image, transaction_id) '
                'SELECT $1, n, ''condemned'', $2, pg_current_xact_id() FROM (SELECT DISTINCT u COLLATE "C" AS n FROM unnest($3) AS u '
                'WHERE octet_length(u) <= 1024 AND u <> '''') AS d '
                'ON CONFLICT (storage, name) DO UPDATE SET state = ''condemned'', since = EXCLUDED.since, lease_until = NULL, '
                'is_image = EXCLUDED.is_image, transaction_id = EXCLUDED.transaction_id '
                'WHERE j.state IN (''uploading'', ''condemned'') OR j.state = ''deleting'' AND j.attempts = 0'
                USING storage, is_image, names;
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
                        target.relation, 'FOR EACH STATEMENT', 'track_' || field_id);
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
                        target.relation, 'REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT', 'track_' || field_id);
                    EXECUTE format('CREATE TRIGGER ' || parts, format('stored_file_%s_delete', field_id),
                        'AFTER DELETE',
                        target.relation, 'REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT', 'track_' || field_id);
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
        END
        $build$
        """#
}
