/// The functions that make columns fields, and follow what becomes of their tables.
enum TrackingSQL {
    /// The functions, in an order in which each is there when another is made that needs it.
    static let functions = [
        refuseTable, noteField, buildField, validateSizes, track,
        fieldAt, renew, untriggered, endFields, condemnRows,
        untrack, renameColumn, renameStorage, forgetField, forgetName,
        allow,
    ]

    /// Refuses what triggers cannot follow: views, unlogged and temporary tables, single partitions, columns of another
    /// type, and tables whose rows Citus keeps on other servers.
    private static let refuseTable = #"""
        CREATE OR REPLACE FUNCTION stored_files.refuse_table(relation regclass, column_name text) RETURNS void
        LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $body$
        #variable_conflict use_column
        DECLARE
            table_class pg_class;
            found text;
        BEGIN
            SELECT c.* INTO table_class FROM pg_class AS c WHERE c.oid = refuse_table.relation;
            IF table_class.relkind NOT IN ('r', 'p') THEN
                RAISE EXCEPTION USING ERRCODE = 'wrong_object_type', MESSAGE = format(
                    '%s is no ordinary or partitioned table, and has no triggers that could follow its files',
                        refuse_table.relation);
            END IF;
            IF table_class.relpersistence <> 'p' THEN
                RAISE EXCEPTION USING ERRCODE = 'feature_not_supported', MESSAGE = format(
                    '%s is %s: a crash, or the end of the session, would empty it and leave its files behind',
                        refuse_table.relation,
                    CASE table_class.relpersistence WHEN 'u' THEN 'unlogged' ELSE 'temporary' END),
                    HINT = 'Name files in an ordinary table.';
            END IF;
            IF table_class.relispartition THEN
                RAISE EXCEPTION USING ERRCODE = 'wrong_object_type', MESSAGE = format(
                    '%s is a partition of %s: rows that are written through that would not be seen',
                        refuse_table.relation,
                    pg_partition_root(refuse_table.relation)),
                    HINT = format('Track the column of %s; its partitions, later ones too, come along.',
                        pg_partition_root(refuse_table.relation));
            END IF;
            IF NOT stored_files.is_text(refuse_table.relation, refuse_table.column_name::name) THEN
                RAISE EXCEPTION USING ERRCODE = 'undefined_column', MESSAGE = format(
                    '%s has no column "%s" of type text that could name files', refuse_table.relation,
                        refuse_table.column_name);
            END IF;
            -- Citus: rows of such a table are written on other servers than the journal is.
            IF to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL THEN
                EXECUTE 'SELECT CASE WHEN p.partmethod <> ''n'' THEN ''distributed by a column'' '
                    'WHEN p.repmodel = ''t'' THEN ''a reference table'' WHEN p.colocationid <> 0 THEN ''in a distributed schema'' END '
                    'FROM pg_catalog.pg_dist_partition AS p WHERE p.logicalrelid = $1' INTO found
                        USING refuse_table.relation;
                IF found IS NOT NULL THEN
                    RAISE EXCEPTION USING ERRCODE = 'feature_not_supported', MESSAGE = format(
                        'The table %s is %s in Citus: its rows are written on another server than the journal of their files',
                        refuse_table.relation, found),
                        HINT = 'Keep it a local table of the coordinator, or run one database, with a journal of its own, per server.';
                END IF;
            END IF;
        END
        $body$
        """#

    /// Writes down where a field is: for messages, for restores that lost its triggers, and to tell a rename.
    private static let noteField = #"""
        CREATE OR REPLACE FUNCTION stored_files.note_field(field_id bigint, target regclass,
            column_name text) RETURNS void
        LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
        #variable_conflict use_column
        DECLARE
            place record;
        BEGIN
            SELECT n.nspname, c.relname INTO place FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
            WHERE c.oid = note_field.target;
            UPDATE stored_files.fields AS f SET relation = note_field.target, origin = stored_files.origin(),
                column_name = note_field.column_name,
                schema_name = place.nspname, table_name = place.relname,
                former_tables = CASE WHEN (f.schema_name, f.table_name) IS DISTINCT FROM (place.nspname, place.relname)
                    AND f.table_name IS NOT NULL
                    AND NOT format('%I.%I', f.schema_name, f.table_name) = ANY (f.former_tables)
                    THEN f.former_tables || format('%I.%I', f.schema_name, f.table_name) ELSE f.former_tables END,
                column_number = (SELECT a.attnum FROM pg_attribute AS a
                    WHERE a.attrelid = note_field.target AND a.attname = note_field.column_name),
                width_number = (SELECT a.attnum FROM pg_attribute AS a
                    WHERE a.attrelid = note_field.target AND a.attname = f.width_column),
                height_number = (SELECT a.attnum FROM pg_attribute AS a
                    WHERE a.attrelid = note_field.target AND a.attname = f.height_column)
            WHERE f.id = note_field.field_id;
        END
        $body$
        """#

    /// Puts a field's functions, triggers and the CHECK of its sizes in place.
    private static let buildField = #"""
        CREATE OR REPLACE FUNCTION stored_files.build_field(field_id bigint) RETURNS void
        LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $body$
        DECLARE
            field stored_files.fields;
            size_check text := 'stored_file_' || field_id || '_size';
        BEGIN
            PERFORM stored_files.build_functions(field_id);
            PERFORM stored_files.build_triggers(field_id);
            SELECT f.* INTO field FROM stored_files.fields AS f WHERE f.id = field_id;
            IF field.width_column IS NOT NULL AND NOT EXISTS (SELECT FROM pg_constraint AS c
                WHERE c.conrelid = field.relation AND c.conname = size_check)
            THEN
                -- Both unknown, both 0 (known: not an image), or both positive; and no size without a name. The rows
                -- that are
                -- there are looked at later, without keeping everybody else away: see validate_sizes.
                EXECUTE format(
                    'ALTER TABLE %1$s ADD CONSTRAINT %2$I CHECK ('
                    '(%4$I IS NULL AND %5$I IS NULL) OR (%3$I IS NOT NULL AND %4$I IS NOT NULL AND %5$I IS NOT NULL '
                    'AND ((%4$I = 0 AND %5$I = 0) OR (%4$I > 0 AND %5$I > 0)))) NOT VALID',
                    field.relation::regclass, size_check, field.column_name, field.width_column, field.height_column);
            END IF;
        END
        $body$
        """#

    /// Clears half sizes that were there before their CHECK, and validates it while others read and write.
    private static let validateSizes = #"""
        CREATE OR REPLACE FUNCTION stored_files.validate_sizes() RETURNS integer
        LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET row_security = off AS $body$
        DECLARE
            field record;
            count integer := 0;
        BEGIN
            FOR field IN
                SELECT f.*, c.conname FROM stored_files.fields AS f
                JOIN pg_constraint AS c ON c.conrelid = f.relation AND c.conname = 'stored_file_' || f.id || '_size'
                WHERE NOT c.convalidated AND f.ended_at IS NULL
            LOOP
                -- A size is a cache: half of one is none.
                EXECUTE format('UPDATE %1$s SET %3$I = NULL, %4$I = NULL WHERE NOT ((%3$I IS NULL AND %4$I IS NULL) OR '
                    '(%2$I IS NOT NULL AND %3$I IS NOT NULL AND %4$I IS NOT NULL '
                    'AND ((%3$I = 0 AND %4$I = 0) OR (%3$I > 0 AND %4$I > 0))))',
                    field.relation::regclass, field.column_name, field.width_column, field.height_column);
                EXECUTE format('ALTER TABLE %s VALIDATE CONSTRAINT %I', field.relation::regclass, field.conname);
                count := count + 1;
            END LOOP;
            RETURN count;
        END
        $body$
        """#

    /// Makes a column the field of a storage: from now on files live as long as its rows name them.
    ///
    /// Rows and files that are there stay as they are. Calling it again renews the triggers, and takes in a table that
    /// was made anew under its name.
    private static let track = #"""
        CREATE OR REPLACE FUNCTION stored_files.track(
            relation regclass, column_name text, storage text, is_image boolean DEFAULT false,
            width_column text DEFAULT NULL, height_column text DEFAULT NULL
        ) RETURNS void
        LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $body$
        #variable_conflict use_column
        DECLARE
            field stored_files.fields;
            lost record;
        BEGIN
            PERFORM stored_files.refuse_table(track.relation, track.column_name);
            -- Two at once would make two fields of one column.
            LOCK TABLE stored_files.fields IN SHARE ROW EXCLUSIVE MODE;
            IF track.width_column IS NOT NULL AND EXISTS (SELECT FROM pg_attribute AS a
                WHERE a.attrelid = track.relation
                AND a.attname = track.column_name AND a.attgenerated <> '')
            THEN
                RAISE EXCEPTION USING ERRCODE = 'feature_not_supported', MESSAGE = format(
                    'The column "%s" of %s is generated, after every trigger that could forget the size beside it',
                    track.column_name, track.relation), HINT = 'Track it without width and height.';
            END IF;
            -- Triggers whose field was lost.
            FOR lost IN SELECT c.field FROM stored_files.carriers() AS c
                WHERE c.relation = track.relation AND NOT EXISTS (SELECT FROM stored_files.fields AS f
                    WHERE f.id = c.field)
            LOOP
                PERFORM stored_files.drop_functions(lost.field);
            END LOOP;
            field := stored_files.field_at(track.relation, track.column_name);
            IF field.id IS NOT NULL AND field.ended_at IS NULL AND field.storage <> track.storage THEN
                RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state', MESSAGE = format(
                    'The column "%s" of %s names files of the storage "%s" already, not of "%s"',
                    track.column_name, track.relation, field.storage, track.storage),
                    HINT = format('If only the id has changed: SELECT stored_files.rename_storage(%L, %L). Otherwise untrack it first.',
                        field.storage, track.storage);
            END IF;
            IF field.id IS NULL THEN
                INSERT INTO stored_files.fields AS f (relation, column_name, storage, is_image)
                VALUES (track.relation, track.column_name, track.storage, track.is_image) RETURNING f.* INTO field;
            END IF;
            UPDATE stored_files.fields AS f SET storage = track.storage, is_image = track.is_image,
                width_column = track.width_column, height_column = track.height_column, ended_at = NULL,
                former_tables = CASE WHEN f.relation = track.relation THEN f.former_tables ELSE '{}' END
            WHERE f.id = field.id;
            PERFORM stored_files.note_field(field.id, track.relation, track.column_name);
            PERFORM stored_files.build_field(field.id);
            PERFORM stored_files.notice_partitions();
        END
        $body$
        """#

    /// The field of a column: by its triggers, else by its place, else by its name.
    private static let fieldAt = #"""
        CREATE OR REPLACE FUNCTION stored_files.field_at(relation regclass,
            column_name text) RETURNS stored_files.fields
        LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $body$
        #variable_conflict use_column
        DECLARE
            field stored_files.fields;
        BEGIN
            SELECT f.* INTO field FROM stored_files.fields AS f JOIN stored_files.carriers() AS c ON c.field = f.id
            WHERE c.relation = field_at.relation AND c.column_name = field_at.column_name LIMIT 1;
            IF field.id IS NULL THEN
                -- The very column, renamed perhaps while nothing followed it.
                SELECT f.* INTO field FROM stored_files.fields AS f
                JOIN pg_attribute AS a ON a.attrelid = field_at.relation AND a.attname = field_at.column_name::name
                    AND NOT a.attisdropped
                WHERE f.relation = field_at.relation AND f.column_number = a.attnum AND f.origin = stored_files.origin()
                AND NOT EXISTS (SELECT FROM stored_files.carriers() AS k WHERE k.field = f.id
                    AND k.column_name IS NOT NULL)
                ORDER BY f.ended_at IS NOT NULL, f.ended_at DESC LIMIT 1;
            END IF;
            IF field.id IS NULL THEN
                -- A table that was made anew, perhaps under a name from before a rename that nothing has followed back:
                -- what had the name is gone.
                SELECT f.* INTO field FROM stored_files.fields AS f
                JOIN pg_class AS c ON c.oid = field_at.relation JOIN pg_namespace AS n ON n.oid = c.relnamespace
                WHERE f.column_name = field_at.column_name AND (f.schema_name = n.nspname AND f.table_name = c.relname
                    OR format('%I.%I', n.nspname, c.relname) = ANY (f.former_tables))
                AND NOT EXISTS (SELECT FROM stored_files.carriers() AS k WHERE k.field = f.id
                    AND k.column_name IS NOT NULL)
                ORDER BY f.table_name <> c.relname, f.ended_at IS NOT NULL, f.ended_at DESC LIMIT 1;
            END IF;
            RETURN field;
        END
        $body$
        """#

    /// Follows what other programs have done to tables: renames, restores, partitions that came.
    ///
    /// Each migration runs it.
    private static let renew = #"""
        CREATE OR REPLACE FUNCTION stored_files.renew(rebuilds boolean DEFAULT false) RETURNS integer
        LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $body$
        #variable_conflict use_column
        DECLARE
            found record;
            field stored_files.fields;
            is_stale boolean;
            count integer := 0;
        BEGIN
            PERFORM stored_files.end_fields();
            FOR found IN SELECT c.* FROM stored_files.catalogue() AS c
                JOIN stored_files.fields AS f ON f.id = c.field AND f.ended_at IS NULL
                WHERE NOT c.is_partition AND c.relation IS NOT NULL AND stored_files.is_text(c.relation, c.column_name)
            LOOP
                SELECT f.* INTO field FROM stored_files.fields AS f WHERE f.id = found.field;
                is_stale := rebuilds OR found.problem IS NOT NULL OR field.relation IS DISTINCT FROM found.relation
                    OR field.column_name <> found.column_name OR field.column_number IS DISTINCT
                        FROM found.column_number
                    OR field.origin IS DISTINCT FROM stored_files.origin()
                    OR format('%I.%I', field.schema_name, field.table_name)
                        <> (SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class AS c
                            JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = found.relation)
                    OR EXISTS (SELECT FROM stored_files.untriggered(found.field));
                CONTINUE WHEN NOT is_stale;
                IF field.width_column IS NOT NULL THEN
                    -- A size column that was renamed keeps its number, where numbers mean the same as before.
                    UPDATE stored_files.fields AS f SET
                        width_column = coalesce((SELECT a.attname FROM pg_attribute AS a
                            WHERE a.attrelid = found.relation
                            AND a.attnum = f.width_number AND NOT a.attisdropped), f.width_column),
                        height_column = coalesce((SELECT a.attname FROM pg_attribute AS a
                            WHERE a.attrelid = found.relation
                            AND a.attnum = f.height_number AND NOT a.attisdropped), f.height_column)
                    WHERE f.id = found.field AND f.relation = found.relation AND f.origin = stored_files.origin();
                    UPDATE stored_files.fields AS f SET width_column = NULL, height_column = NULL
                    WHERE f.id = found.field AND 2 > (SELECT count(*) FROM pg_attribute AS a
                        WHERE a.attrelid = found.relation AND a.attname IN (f.width_column, f.height_column));
                END IF;
                PERFORM stored_files.note_field(found.field, found.relation::regclass, found.column_name);
                PERFORM stored_files.build_field(found.field);
                count := count + 1;
            END LOOP;
            PERFORM stored_files.notice_partitions();
            RETURN count;
        END
        $body$
        """#

    /// The relations of a field on which one of its triggers is missing or switched off.
    private static let untriggered = #"""
        CREATE OR REPLACE FUNCTION stored_files.untriggered(field_id bigint) RETURNS SETOF regclass
        LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $body$
            SELECT r FROM stored_files.carriers() AS k
            CROSS JOIN LATERAL stored_files.relations(k.relation::regclass) AS r
            JOIN pg_class AS c ON c.oid = r
            WHERE k.field = field_id AND k.column_name IS NOT NULL AND EXISTS (
                SELECT FROM unnest(CASE WHEN c.relkind = 'f' THEN ARRAY['insert', 'update', 'delete']
                    ELSE ARRAY['insert', 'update', 'delete', 'truncate'] END
                    || CASE WHEN EXISTS (SELECT FROM stored_files.fields AS f WHERE f.id = field_id
                        AND f.width_column IS NOT NULL)
                        AND c.relkind <> 'f' THEN ARRAY['forget_size'] ELSE '{}' END) AS e
                WHERE NOT EXISTS (SELECT FROM pg_trigger AS t WHERE t.tgrelid = r AND t.tgenabled IN ('O', 'A')
                    AND t.tgname = CASE e WHEN 'forget_size' THEN 'zz_' ELSE '' END || format('stored_file_%s_%s',
                        field_id, e)))
        $body$
        """#

    /// Forgets fields that are not tracked any more, once no name from before is on its way.
    private static let endFields = #"""
        CREATE OR REPLACE FUNCTION stored_files.end_fields() RETURNS void
        LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $body$
            DELETE FROM stored_files.reservations AS r USING stored_files.fields AS f
            WHERE r.field = f.id AND f.ended_at < clock_timestamp() - interval '1 day';
            DELETE FROM stored_files.fields AS f WHERE f.ended_at IS NOT NULL
            AND NOT EXISTS (SELECT FROM stored_files.journal AS j WHERE j.storage = f.storage
                AND j.since <= f.ended_at + interval '1 day' AND j.state <> 'deleted')
            AND NOT EXISTS (SELECT FROM stored_files.let_go AS l WHERE l.storage = f.storage AND l.since <= f.ended_at)
            AND f.ended_at < clock_timestamp() - interval '1 day'
        $body$
        """#

    /// The function that lets go of all names in a table, before they go with it.
    private static let condemnRows = #"""
        CREATE OR REPLACE FUNCTION stored_files.condemn_rows(field_id bigint, target regclass,
            column_name name) RETURNS void
        LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
        BEGIN
            -- Nobody may write a row between this look at them and their end.
            EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', target);
            PERFORM stored_files.let_go_of(field_id, target, column_name);
        END
        $body$
        """#

    /// Takes the triggers off a column, off all columns of a table when none is given, or forgets that a column keeps a
    /// size; with `condemns` the column or table is about to be dropped, and its files are condemned.
    private static let untrack = #"""
        CREATE OR REPLACE FUNCTION stored_files.untrack(relation regclass, column_name text,
            condemns boolean DEFAULT false)
        RETURNS void
        LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $body$
        #variable_conflict use_column
        DECLARE
            field stored_files.fields;
            place record;
            own record;
        BEGIN
            IF untrack.column_name IS NULL AND untrack.condemns THEN
                -- A partition goes, or one that was: its rows name files by the fields of the tables above it.
                FOR place IN
                    SELECT c.field, c.column_name FROM stored_files.catalogue() AS c
                    WHERE c.relation IS NOT NULL AND (c.is_partition AND c.relation = untrack.relation
                        OR NOT c.is_partition AND c.relation <> untrack.relation
                        AND untrack.relation IN (SELECT stored_files.relations(c.relation::regclass)))
                LOOP
                    PERFORM stored_files.condemn_rows(place.field, untrack.relation, place.column_name);
                    DELETE FROM stored_files.partitions AS p WHERE p.field = place.field
                        AND p.relation = untrack.relation;
                END LOOP;
            END IF;
            FOR own IN
                SELECT c.* FROM stored_files.catalogue() AS c JOIN stored_files.fields AS f ON f.id = c.field
                WHERE c.relation = untrack.relation AND NOT c.is_partition AND f.ended_at IS NULL
                AND (untrack.column_name IS NULL OR untrack.column_name IN (c.column_name, f.width_column,
                    f.height_column))
            LOOP
                SELECT f.* INTO field FROM stored_files.fields AS f WHERE f.id = own.field;
                IF field.width_column IS NOT NULL THEN
                    EXECUTE format('DROP FUNCTION IF EXISTS stored_files.%I() CASCADE', 'forget_size_' || field.id);
                    EXECUTE format('ALTER TABLE %s DROP CONSTRAINT IF EXISTS %I',
                        untrack.relation, 'stored_file_' || field.id || '_size');
                END IF;
                IF untrack.column_name IN (field.width_column, field.height_column) THEN
                    UPDATE stored_files.fields AS f SET width_column = NULL, height_column = NULL WHERE f.id = field.id;
                    CONTINUE;
                END IF;
                IF untrack.condemns THEN
                    PERFORM stored_files.condemn_rows(field.id, untrack.relation, own.column_name);
                END IF;
                PERFORM stored_files.drop_functions(field.id);
                IF untrack.condemns THEN
                    DELETE FROM stored_files.fields AS f WHERE f.id = field.id;
                ELSE
                    -- Its rows count as long as names that were let go of before are on their way.
                    PERFORM stored_files.note_field(field.id, untrack.relation, own.column_name);
                    UPDATE stored_files.fields AS f SET ended_at = clock_timestamp(), width_column = NULL,
                        height_column = NULL
                    WHERE f.id = field.id;
                END IF;
            END LOOP;
        END
        $body$
        """#

    /// Follows a column that a migration has renamed.
    private static let renameColumn = #"""
        CREATE OR REPLACE FUNCTION stored_files.rename_column(relation regclass, old_name text,
            new_name text) RETURNS void
        LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
        BEGIN
            PERFORM stored_files.renew();
        END
        $body$
        """#

    /// Gives a storage another id, with its fields and everything that is on its way.
    private static let renameStorage = #"""
        CREATE OR REPLACE FUNCTION stored_files.rename_storage(old_name text, new_name text) RETURNS void
        LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
        DECLARE
            field record;
        BEGIN
            IF EXISTS (SELECT FROM stored_files.fields AS f WHERE f.storage = new_name) THEN
                RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state', MESSAGE = format(
                    'The storage "%s" has fields of its own, so "%s" cannot get its id', new_name, old_name);
            END IF;
            LOCK TABLE stored_files.journal, stored_files.reservations, stored_files.let_go IN SHARE ROW EXCLUSIVE MODE;
            FOR field IN UPDATE stored_files.fields AS f SET storage = new_name WHERE f.storage = old_name
                RETURNING f.id, f.ended_at LOOP
                IF field.ended_at IS NULL THEN
                    PERFORM stored_files.build_functions(field.id);
                END IF;
            END LOOP;
            UPDATE stored_files.journal SET storage = new_name WHERE storage = old_name;
            UPDATE stored_files.reservations SET storage = new_name WHERE storage = old_name;
            UPDATE stored_files.let_go SET storage = new_name WHERE storage = old_name;
            UPDATE stored_files.owners SET storage = new_name WHERE storage = old_name;
        END
        $body$
        """#

    /// Gives up a field whose table was dropped for good; what it named is left to fsck.
    private static let forgetField = #"""
        CREATE OR REPLACE FUNCTION stored_files.forget_field(field_id bigint) RETURNS void
        LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $body$
        BEGIN
            PERFORM stored_files.drop_functions(field_id);
            DELETE FROM stored_files.fields AS f WHERE f.id = field_id;
        END
        $body$
        """#

    /// Accepts that a table was renamed, and that another table with its former name has nothing to do with its files.
    private static let forgetName = #"""
        CREATE OR REPLACE FUNCTION stored_files.forget_name(field_id bigint, former text) RETURNS void
        LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
        DECLARE
            found record;
        BEGIN
            SELECT c.relation, c.column_name INTO found FROM stored_files.catalogue() AS c WHERE c.field = field_id
                AND NOT c.is_partition;
            PERFORM stored_files.note_field(field_id, found.relation::regclass, found.column_name);
            UPDATE stored_files.fields AS f SET former_tables = array_remove(f.former_tables, former)
                WHERE f.id = field_id;
        END
        $body$
        """#

    /// Grants a role what it needs to store files, and to reap.
    private static let allow = #"""
        CREATE OR REPLACE FUNCTION stored_files.allow(role_name text, reaps boolean DEFAULT false) RETURNS void
        LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
        BEGIN
            EXECUTE format('GRANT USAGE ON SCHEMA stored_files TO %I', role_name);
            EXECUTE format('GRANT SELECT ON stored_files.fields, stored_files.partitions TO %I', role_name);
            EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON stored_files.journal, stored_files.reservations TO %I', role_name);
            IF reaps THEN
                EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON stored_files.let_go, stored_files.owners TO %I',
                    role_name);
                EXECUTE format('GRANT DELETE ON stored_files.fields TO %I', role_name);
            END IF;
        END
        $body$
        """#
}
