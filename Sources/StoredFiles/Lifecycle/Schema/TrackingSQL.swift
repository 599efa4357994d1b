import PostgresModels

/// The functions that put triggers onto the column of a field, and take them off again.
enum TrackingSQL {
    /// Writes the trigger functions of a field: SQL that is static per field, so that the server plans it once.
    ///
    /// The one function serves four statement-level triggers:
    /// - *names that came* are claimed: their journal rows go. One that is being deleted, or was, ends the statement with
    ///   55006. At REPEATABLE READ and above a DELETE does not see what was committed after the snapshot; there an INSERT
    ///   that does nothing on a conflict comes first, which fails with 40001 when the row in the way cannot be seen;
    /// - *names that went* are condemned, in the same transaction;
    /// - TRUNCATE condemns them all, before the rows are gone.
    ///
    /// `SECURITY DEFINER`: who may write the table needs no rights on the journal. `enable_seqscan = off`: a plan made
    /// when the journal was empty must not scan it when it is not, and at SERIALIZABLE a scan conflicts with every
    /// other claim.
    static let buildFunctions: SQL = #"""
        CREATE FUNCTION stored_files.build_functions(field stored_files.fields) RETURNS void
        LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $build$
        DECLARE
            on_conflict text := $text$
                ON CONFLICT (storage, name) DO UPDATE
                SET state = 'condemned', since = clock_timestamp(), lease_until = NULL, is_image = EXCLUDED.is_image
                WHERE j.state IN ('uploading', 'condemned')$text$;
            truncate_beginning text := format(
                $text$INSERT INTO stored_files.journal AS j (storage, name, state, is_image)
                SELECT DISTINCT %2$L, t.%1$I::text COLLATE "C", 'condemned', %3$L::boolean FROM $text$,
                field.column_name, field.storage, field.is_image);
            truncate_end text := format($text$ AS t WHERE t.%1$I IS NOT NULL$text$, field.column_name) || on_conflict;
            body text;
        BEGIN
            body := format($text$
        DECLARE
            lost text;
            condemned bigint := 0;
            sees_latest boolean := current_setting('transaction_isolation') IN ('read committed', 'read uncommitted');
        BEGIN
            IF TG_OP = 'INSERT' THEN
                IF NOT sees_latest THEN
                    INSERT INTO stored_files.journal (storage, name, state)
                    SELECT %2$L, n.%1$I, 'uploading' FROM new_rows AS n WHERE n.%1$I IS NOT NULL
                    ON CONFLICT DO NOTHING;
                END IF;
                WITH claimed AS (
                    DELETE FROM stored_files.journal AS j USING new_rows AS n
                    WHERE j.storage = %2$L AND j.name = n.%1$I::text COLLATE "C"
                    RETURNING j.name, j.state
                )
                SELECT c.name INTO lost FROM claimed AS c WHERE c.state IN ('deleting', 'deleted') LIMIT 1;
            ELSIF TG_OP = 'UPDATE' THEN
                IF NOT sees_latest THEN
                    INSERT INTO stored_files.journal (storage, name, state)
                    SELECT %2$L, came.name, 'uploading' FROM (
                        SELECT n.%1$I::text COLLATE "C" AS name FROM new_rows AS n WHERE n.%1$I IS NOT NULL
                        EXCEPT SELECT o.%1$I::text COLLATE "C" FROM old_rows AS o
                    ) AS came
                    ON CONFLICT DO NOTHING;
                END IF;
                WITH came AS (
                    SELECT n.%1$I::text COLLATE "C" AS name FROM new_rows AS n WHERE n.%1$I IS NOT NULL
                    EXCEPT SELECT o.%1$I::text COLLATE "C" FROM old_rows AS o
                ), went AS (
                    SELECT o.%1$I::text COLLATE "C" AS name FROM old_rows AS o WHERE o.%1$I IS NOT NULL
                    EXCEPT SELECT n.%1$I::text COLLATE "C" FROM new_rows AS n
                ), claimed AS (
                    DELETE FROM stored_files.journal AS j USING came
                    WHERE j.storage = %2$L AND j.name = came.name
                    RETURNING j.name, j.state
                ), added AS (
                    INSERT INTO stored_files.journal AS j (storage, name, state, is_image)
                    SELECT %2$L, went.name, 'condemned', %3$L::boolean FROM went%4$s
                    RETURNING 1
                )
                SELECT (SELECT c.name FROM claimed AS c WHERE c.state IN ('deleting', 'deleted') LIMIT 1),
                    (SELECT count(*) FROM added)
                INTO lost, condemned;
            ELSIF TG_OP = 'DELETE' THEN
                INSERT INTO stored_files.journal AS j (storage, name, state, is_image)
                SELECT DISTINCT %2$L, o.%1$I::text COLLATE "C", 'condemned', %3$L::boolean
                FROM old_rows AS o WHERE o.%1$I IS NOT NULL%4$s;
                GET DIAGNOSTICS condemned = ROW_COUNT;
            ELSE
                IF NOT sees_latest THEN
                    RAISE EXCEPTION USING ERRCODE = 'feature_not_supported',
                        MESSAGE = format('TRUNCATE of %%s, whose rows name files, needs READ COMMITTED: rows that '
                            'this transaction cannot see would leave their files behind', TG_RELID::regclass),
                        HINT = 'Use DELETE, or READ COMMITTED.';
                END IF;
                EXECUTE %5$L || TG_RELID::regclass || %6$L;
                GET DIAGNOSTICS condemned = ROW_COUNT;
            END IF;
            IF lost IS NOT NULL THEN
                RAISE EXCEPTION USING ERRCODE = 'object_in_use',
                    SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, COLUMN = %1$L,
                    MESSAGE = format('The file "%%s" of the storage "%%s" was given up and is being deleted',
                        lost, %2$L),
                    HINT = 'Store the file again, and use its new name.';
            END IF;
            IF condemned > 0 THEN
                PERFORM pg_notify('stored_files', %2$L);
            END IF;
            RETURN NULL;
        END
        $text$, field.column_name, field.storage, field.is_image, on_conflict, truncate_beginning, truncate_end);
            EXECUTE format(
                'CREATE OR REPLACE FUNCTION stored_files.%I() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER '
                'SET search_path = pg_catalog, pg_temp SET row_security = off SET enable_seqscan = off AS %L',
                'track_' || field.id, body);
            IF field.width_column IS NOT NULL THEN
                EXECUTE format(
                    'CREATE OR REPLACE FUNCTION stored_files.%I() RETURNS trigger LANGUAGE plpgsql AS %L',
                    'forget_size_' || field.id,
                    format('BEGIN NEW.%I := NULL; NEW.%I := NULL; RETURN NEW; END',
                        field.width_column, field.height_column));
            END IF;
        END
        $build$
        """#

    /// Puts the triggers of a field onto one table.
    static let buildTriggers: SQL = #"""
        CREATE FUNCTION stored_files.build_triggers(field stored_files.fields, target regclass) RETURNS void
        LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $build$
        DECLARE
            event text[];
            size_trigger text := 'zz_stored_file_' || field.id || '_forget_size';
        BEGIN
            FOREACH event SLICE 1 IN ARRAY ARRAY[
                ['insert', 'AFTER INSERT', 'REFERENCING NEW TABLE AS new_rows'],
                ['update', 'AFTER UPDATE', 'REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows'],
                ['delete', 'AFTER DELETE', 'REFERENCING OLD TABLE AS old_rows'],
                ['truncate', 'BEFORE TRUNCATE', '']
            ] LOOP
                EXECUTE format('DROP TRIGGER IF EXISTS %I ON %s',
                    'stored_file_' || field.id || '_' || event[1], target);
                EXECUTE format('CREATE TRIGGER %I %s ON %s %s FOR EACH STATEMENT EXECUTE FUNCTION stored_files.%I()',
                    'stored_file_' || field.id || '_' || event[1], event[2], target, event[3], 'track_' || field.id);
            END LOOP;
            -- Partitions get a copy of their parent's row-level triggers by themselves.
            IF field.width_column IS NULL OR (SELECT c.relispartition FROM pg_class AS c WHERE c.oid = target) THEN
                RETURN;
            END IF;
            -- A WHEN condition rather than UPDATE OF: that does not see a name that another BEFORE trigger has set.
            -- Triggers fire in the order of their names, so this one comes late.
            EXECUTE format('DROP TRIGGER IF EXISTS %I ON %s', size_trigger, target);
            EXECUTE format(
                'CREATE TRIGGER %1$I BEFORE UPDATE ON %2$s FOR EACH ROW '
                'WHEN (OLD.%3$I IS DISTINCT FROM NEW.%3$I AND OLD.%4$I IS NOT DISTINCT FROM NEW.%4$I '
                'AND OLD.%5$I IS NOT DISTINCT FROM NEW.%5$I) EXECUTE FUNCTION stored_files.%6$I()',
                size_trigger, target, field.column_name, field.width_column, field.height_column,
                'forget_size_' || field.id);
        END
        $build$
        """#

    /// A table, its partitions and the tables that inherit from it: statement-level triggers fire for the table that a
    /// statement names, so each of them needs its own.
    static let relations: SQL = #"""
        CREATE FUNCTION stored_files.relations(root regclass) RETURNS SETOF regclass
        LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $body$
            WITH RECURSIVE tree AS (
                SELECT root::oid AS relation
                UNION SELECT i.inhrelid FROM pg_inherits AS i JOIN tree ON i.inhparent = tree.relation
            )
            SELECT relation::regclass FROM tree
        $body$
        """#

    /// Makes a column the field of a storage: from now on files live as long as its rows name them.
    ///
    /// Rows and files that are there stay as they are. Calling it again renews the triggers, for example after a
    /// partition was attached.
    static let track: SQL = #"""
        CREATE FUNCTION stored_files.track(
            relation regclass, column_name text, storage text, is_image boolean DEFAULT false,
            width_column text DEFAULT NULL, height_column text DEFAULT NULL
        ) RETURNS void
        LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $body$
        #variable_conflict use_column
        DECLARE
            field stored_files.fields;
            target regclass;
            size_check text;
        BEGIN
            IF NOT EXISTS (
                SELECT FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid
                WHERE a.attrelid = track.relation AND a.attname = track.column_name AND NOT a.attisdropped
                AND t.typcategory = 'S'
            ) THEN
                RAISE EXCEPTION USING ERRCODE = 'undefined_column', MESSAGE = format(
                    '%s has no column "%s" of type text that could name files', track.relation, track.column_name);
            END IF;
            SELECT f.* INTO field FROM stored_files.fields AS f
            WHERE f.relation = track.relation AND f.column_name = track.column_name;
            IF field.id IS NOT NULL AND field.storage <> track.storage THEN
                RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state', MESSAGE = format(
                    'The column "%s" of %s names files of the storage "%s" already, not of "%s"; untrack it first',
                    track.column_name, track.relation, field.storage, track.storage);
            END IF;
            INSERT INTO stored_files.fields AS f
                (relation, column_name, storage, is_image, width_column, height_column)
            VALUES (track.relation, track.column_name, track.storage, track.is_image,
                track.width_column, track.height_column)
            ON CONFLICT (relation, column_name) DO UPDATE
            SET is_image = EXCLUDED.is_image, width_column = EXCLUDED.width_column,
                height_column = EXCLUDED.height_column
            RETURNING f.* INTO field;
            PERFORM stored_files.build_functions(field);
            FOR target IN SELECT stored_files.relations(track.relation) LOOP
                PERFORM stored_files.build_triggers(field, target);
            END LOOP;
            IF field.width_column IS NOT NULL THEN
                size_check := 'stored_file_' || field.id || '_size';
                -- Both unknown, both 0 (known: not an image), or both positive; and no size without a name.
                EXECUTE format(
                    'ALTER TABLE %1$s DROP CONSTRAINT IF EXISTS %2$I, ADD CONSTRAINT %2$I CHECK ('
                    '(%4$I IS NULL AND %5$I IS NULL) OR (%3$I IS NOT NULL AND %4$I IS NOT NULL AND %5$I IS NOT NULL '
                    'AND ((%4$I = 0 AND %5$I = 0) OR (%4$I > 0 AND %5$I > 0))))',
                    track.relation, size_check, field.column_name, field.width_column, field.height_column);
            END IF;
        END
        $body$
        """#

    /// Condemns all names in a table, before they go with it.
    static let condemnRows: SQL = #"""
        CREATE FUNCTION stored_files.condemn_rows(field stored_files.fields, target regclass) RETURNS void
        LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET row_security = off AS $body$
        BEGIN
            -- Nobody may write a row between this look at them and their end.
            EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', target);
            EXECUTE format(
                'INSERT INTO stored_files.journal AS j (storage, name, state, is_image) '
                'SELECT DISTINCT %2$L, t.%1$I::text COLLATE "C", ''condemned'', %3$L::boolean FROM %4$s AS t '
                'WHERE t.%1$I IS NOT NULL ON CONFLICT (storage, name) DO UPDATE SET state = ''condemned'', '
                'since = clock_timestamp(), lease_until = NULL WHERE j.state IN (''uploading'', ''condemned'')',
                field.column_name, field.storage, field.is_image, target);
            PERFORM pg_notify('stored_files', field.storage);
        END
        $body$
        """#

    /// Takes the triggers off a column, off all columns of a table when none is given, or forgets that a column keeps a
    /// size; with `condemns` the column or table is about to be dropped, and its files are condemned.
    static let untrack: SQL = #"""
        CREATE FUNCTION stored_files.untrack(relation regclass, column_name text, condemns boolean DEFAULT false)
        RETURNS void
        LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $body$
        #variable_conflict use_column
        DECLARE
            field stored_files.fields;
        BEGIN
            IF untrack.column_name IS NULL AND untrack.condemns THEN
                -- A partition goes: its rows name files by the fields of the tables above it.
                FOR field IN
                    SELECT f.* FROM stored_files.fields AS f
                    WHERE f.relation <> untrack.relation
                    AND untrack.relation IN (SELECT stored_files.relations(f.relation))
                LOOP
                    PERFORM stored_files.condemn_rows(field, untrack.relation);
                END LOOP;
            END IF;
            FOR field IN
                SELECT f.* FROM stored_files.fields AS f WHERE f.relation = untrack.relation
                AND (untrack.column_name IS NULL
                    OR untrack.column_name IN (f.column_name, f.width_column, f.height_column))
            LOOP
                IF field.width_column IS NOT NULL THEN
                    EXECUTE format('DROP FUNCTION IF EXISTS stored_files.%I() CASCADE', 'forget_size_' || field.id);
                    EXECUTE format('ALTER TABLE %s DROP CONSTRAINT IF EXISTS %I',
                        field.relation, 'stored_file_' || field.id || '_size');
                END IF;
                IF untrack.column_name IN (field.width_column, field.height_column) THEN
                    UPDATE stored_files.fields AS f SET width_column = NULL, height_column = NULL
                    WHERE f.id = field.id;
                    CONTINUE;
                END IF;
                IF untrack.condemns THEN
                    PERFORM stored_files.condemn_rows(field, field.relation);
                END IF;
                EXECUTE format('DROP FUNCTION IF EXISTS stored_files.%I() CASCADE', 'track_' || field.id);
                DELETE FROM stored_files.fields AS f WHERE f.id = field.id;
            END LOOP;
        END
        $body$
        """#

    /// Follows a column that got a new name: the bodies of the functions name it.
    static let renameColumn: SQL = #"""
        CREATE FUNCTION stored_files.rename_column(relation regclass, old_name text, new_name text) RETURNS void
        LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
        #variable_conflict use_column
        DECLARE
            field stored_files.fields;
        BEGIN
            FOR field IN
                UPDATE stored_files.fields AS f SET
                    column_name = CASE f.column_name WHEN old_name THEN new_name ELSE f.column_name END,
                    width_column = CASE f.width_column WHEN old_name THEN new_name ELSE f.width_column END,
                    height_column = CASE f.height_column WHEN old_name THEN new_name ELSE f.height_column END
                WHERE f.relation = rename_column.relation
                AND old_name IN (f.column_name, f.width_column, f.height_column)
                RETURNING f.*
            LOOP
                PERFORM stored_files.build_functions(field);
            END LOOP;
        END
        $body$
        """#
}
