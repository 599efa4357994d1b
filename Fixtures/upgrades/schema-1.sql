--
-- PostgreSQL database dump
--

\restrict j6yPLOWTgCx31QGG0lYRbEpX1ARyFg0V3QArPMHtylVgIcsLjfyVHlBhaaK5lXV

-- Dumped from database version 15.18 (Debian 15.18-0+deb12u1)
-- Dumped by pg_dump version 15.18 (Debian 15.18-0+deb12u1)

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: stored_files; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA stored_files;


SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: fields; Type: TABLE; Schema: stored_files; Owner: -
--

CREATE TABLE stored_files.fields (
    id bigint NOT NULL,
    relation regclass NOT NULL,
    column_name name NOT NULL,
    storage text NOT NULL,
    is_image boolean NOT NULL,
    width_column name,
    height_column name,
    CONSTRAINT fields_check CHECK (((width_column IS NULL) = (height_column IS NULL)))
);


--
-- Name: TABLE fields; Type: COMMENT; Schema: stored_files; Owner: -
--

COMMENT ON TABLE stored_files.fields IS 'The columns that name files, and the storage they name them in. Written by stored_files.track.';


--
-- Name: build_functions(stored_files.fields); Type: FUNCTION; Schema: stored_files; Owner: -
--

CREATE FUNCTION stored_files.build_functions(field stored_files.fields) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
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
$_$;


--
-- Name: build_triggers(stored_files.fields, regclass); Type: FUNCTION; Schema: stored_files; Owner: -
--

CREATE FUNCTION stored_files.build_triggers(field stored_files.fields, target regclass) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET client_min_messages TO 'warning'
    AS $_$
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
$_$;


--
-- Name: condemn_rows(stored_files.fields, regclass); Type: FUNCTION; Schema: stored_files; Owner: -
--

CREATE FUNCTION stored_files.condemn_rows(field stored_files.fields, target regclass) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET row_security TO 'off'
    AS $_$
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
$_$;


--
-- Name: forget_size_2(); Type: FUNCTION; Schema: stored_files; Owner: -
--

CREATE FUNCTION stored_files.forget_size_2() RETURNS trigger
    LANGUAGE plpgsql
    AS $$BEGIN NEW.cover_width := NULL; NEW.cover_height := NULL; RETURN NEW; END$$;


--
-- Name: named(text, text[]); Type: FUNCTION; Schema: stored_files; Owner: -
--

CREATE FUNCTION stored_files.named(storage text, names text[]) RETURNS SETOF text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET row_security TO 'off'
    AS $_$
#variable_conflict use_column
DECLARE
    field record;
BEGIN
    FOR field IN
        -- A table or column that was dropped without a word names nothing any more.
        SELECT f.relation, f.column_name FROM stored_files.fields AS f
        JOIN pg_attribute AS a ON a.attrelid = f.relation AND a.attname = f.column_name AND NOT a.attisdropped
        WHERE f.storage = named.storage
    LOOP
        RETURN QUERY EXECUTE format('SELECT t.%1$I::text FROM %2$s AS t WHERE t.%1$I = ANY ($1)',
            field.column_name, field.relation) USING named.names;
    END LOOP;
END
$_$;


--
-- Name: relations(regclass); Type: FUNCTION; Schema: stored_files; Owner: -
--

CREATE FUNCTION stored_files.relations(root regclass) RETURNS SETOF regclass
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    WITH RECURSIVE tree AS (
        SELECT root::oid AS relation
        UNION SELECT i.inhrelid FROM pg_inherits AS i JOIN tree ON i.inhparent = tree.relation
    )
    SELECT relation::regclass FROM tree
$$;


--
-- Name: rename_column(regclass, text, text); Type: FUNCTION; Schema: stored_files; Owner: -
--

CREATE FUNCTION stored_files.rename_column(relation regclass, old_name text, new_name text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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
$$;


--
-- Name: take(text, integer, interval, text); Type: FUNCTION; Schema: stored_files; Owner: -
--

CREATE FUNCTION stored_files.take(storage text, batch integer, lease interval, wanted text DEFAULT NULL::text) RETURNS TABLE(name text, is_image boolean, attempts integer, is_live boolean)
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
DECLARE
    locked text[];
    live text[];
BEGIN
    locked := ARRAY(
        SELECT j.name FROM stored_files.journal AS j
        WHERE j.storage = take.storage AND j.state = 'deleting' AND j.lease_until <= clock_timestamp()
        AND (j.transaction_id IS NULL OR j.transaction_id < pg_snapshot_xmin(pg_current_snapshot()))
        AND (take.wanted IS NULL OR j.name = take.wanted)
        ORDER BY j.since LIMIT take.batch FOR UPDATE SKIP LOCKED
    );
    IF locked = '{}' THEN
        RETURN;
    END IF;
    live := ARRAY(SELECT DISTINCT n FROM stored_files.named(take.storage, locked) AS n);
    RETURN QUERY DELETE FROM stored_files.journal AS j
        WHERE j.storage = take.storage AND j.name = ANY (live)
        RETURNING j.name, j.is_image, j.attempts, true;
    RETURN QUERY UPDATE stored_files.journal AS j
        SET lease_until = clock_timestamp() + take.lease, attempts = j.attempts + 1
        WHERE j.storage = take.storage AND j.name = ANY (locked) AND NOT j.name = ANY (live)
        RETURNING j.name, j.is_image, j.attempts, false;
END
$$;


--
-- Name: take_tombstones(text, integer, interval, interval); Type: FUNCTION; Schema: stored_files; Owner: -
--

CREATE FUNCTION stored_files.take_tombstones(storage text, batch integer, age interval, lease interval) RETURNS TABLE(name text, is_image boolean)
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
DECLARE
    oldest integer := (
        SELECT max(age(a.backend_xmin)) FROM pg_stat_activity AS a
        WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
    );
BEGIN
    RETURN QUERY WITH due AS (
        SELECT j.name FROM stored_files.journal AS j
        WHERE j.storage = take_tombstones.storage AND j.state = 'deleted'
        AND j.since <= clock_timestamp() - take_tombstones.age
        AND (j.lease_until IS NULL OR j.lease_until <= clock_timestamp())
        AND (j.transaction_id IS NULL OR oldest IS NULL OR age(j.transaction_id::xid) > oldest)
        ORDER BY j.since LIMIT take_tombstones.batch FOR UPDATE SKIP LOCKED
    )
    UPDATE stored_files.journal AS j SET lease_until = clock_timestamp() + take_tombstones.lease
    FROM due WHERE j.storage = take_tombstones.storage AND j.name = due.name
    RETURNING j.name, j.is_image;
END
$$;


--
-- Name: track(regclass, text, text, boolean, text, text); Type: FUNCTION; Schema: stored_files; Owner: -
--

CREATE FUNCTION stored_files.track(relation regclass, column_name text, storage text, is_image boolean DEFAULT false, width_column text DEFAULT NULL::text, height_column text DEFAULT NULL::text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET client_min_messages TO 'warning'
    AS $_$
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
$_$;


--
-- Name: track_1(); Type: FUNCTION; Schema: stored_files; Owner: -
--

CREATE FUNCTION stored_files.track_1() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET row_security TO 'off'
    SET enable_seqscan TO 'off'
    AS $$
DECLARE
    lost text;
    condemned bigint := 0;
    sees_latest boolean := current_setting('transaction_isolation') IN ('read committed', 'read uncommitted');
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NOT sees_latest THEN
            INSERT INTO stored_files.journal (storage, name, state)
            SELECT 'papers', n.paper, 'uploading' FROM new_rows AS n WHERE n.paper IS NOT NULL
            ON CONFLICT DO NOTHING;
        END IF;
        WITH claimed AS (
            DELETE FROM stored_files.journal AS j USING new_rows AS n
            WHERE j.storage = 'papers' AND j.name = n.paper::text COLLATE "C"
            RETURNING j.name, j.state
        )
        SELECT c.name INTO lost FROM claimed AS c WHERE c.state IN ('deleting', 'deleted') LIMIT 1;
    ELSIF TG_OP = 'UPDATE' THEN
        IF NOT sees_latest THEN
            INSERT INTO stored_files.journal (storage, name, state)
            SELECT 'papers', came.name, 'uploading' FROM (
                SELECT n.paper::text COLLATE "C" AS name FROM new_rows AS n WHERE n.paper IS NOT NULL
                EXCEPT SELECT o.paper::text COLLATE "C" FROM old_rows AS o
            ) AS came
            ON CONFLICT DO NOTHING;
        END IF;
        WITH came AS (
            SELECT n.paper::text COLLATE "C" AS name FROM new_rows AS n WHERE n.paper IS NOT NULL
            EXCEPT SELECT o.paper::text COLLATE "C" FROM old_rows AS o
        ), went AS (
            SELECT o.paper::text COLLATE "C" AS name FROM old_rows AS o WHERE o.paper IS NOT NULL
            EXCEPT SELECT n.paper::text COLLATE "C" FROM new_rows AS n
        ), claimed AS (
            DELETE FROM stored_files.journal AS j USING came
            WHERE j.storage = 'papers' AND j.name = came.name
            RETURNING j.name, j.state
        ), added AS (
            INSERT INTO stored_files.journal AS j (storage, name, state, is_image)
            SELECT 'papers', went.name, 'condemned', 'f'::boolean FROM went
        ON CONFLICT (storage, name) DO UPDATE
        SET state = 'condemned', since = clock_timestamp(), lease_until = NULL, is_image = EXCLUDED.is_image
        WHERE j.state IN ('uploading', 'condemned')
            RETURNING 1
        )
        SELECT (SELECT c.name FROM claimed AS c WHERE c.state IN ('deleting', 'deleted') LIMIT 1),
            (SELECT count(*) FROM added)
        INTO lost, condemned;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO stored_files.journal AS j (storage, name, state, is_image)
        SELECT DISTINCT 'papers', o.paper::text COLLATE "C", 'condemned', 'f'::boolean
        FROM old_rows AS o WHERE o.paper IS NOT NULL
        ON CONFLICT (storage, name) DO UPDATE
        SET state = 'condemned', since = clock_timestamp(), lease_until = NULL, is_image = EXCLUDED.is_image
        WHERE j.state IN ('uploading', 'condemned');
        GET DIAGNOSTICS condemned = ROW_COUNT;
    ELSE
        IF NOT sees_latest THEN
            RAISE EXCEPTION USING ERRCODE = 'feature_not_supported',
                MESSAGE = format('TRUNCATE of %s, whose rows name files, needs READ COMMITTED: rows that '
                    'this transaction cannot see would leave their files behind', TG_RELID::regclass),
                HINT = 'Use DELETE, or READ COMMITTED.';
        END IF;
        EXECUTE 'INSERT INTO stored_files.journal AS j (storage, name, state, is_image)
        SELECT DISTINCT ''papers'', t.paper::text COLLATE "C", ''condemned'', ''f''::boolean FROM ' || TG_RELID::regclass || ' AS t WHERE t.paper IS NOT NULL
        ON CONFLICT (storage, name) DO UPDATE
        SET state = ''condemned'', since = clock_timestamp(), lease_until = NULL, is_image = EXCLUDED.is_image
        WHERE j.state IN (''uploading'', ''condemned'')';
        GET DIAGNOSTICS condemned = ROW_COUNT;
    END IF;
    IF lost IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'object_in_use',
            SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, COLUMN = 'paper',
            MESSAGE = format('The file "%s" of the storage "%s" was given up and is being deleted',
                lost, 'papers'),
            HINT = 'Store the file again, and use its new name.';
    END IF;
    IF condemned > 0 THEN
        PERFORM pg_notify('stored_files', 'papers');
    END IF;
    RETURN NULL;
END
$$;


--
-- Name: track_2(); Type: FUNCTION; Schema: stored_files; Owner: -
--

CREATE FUNCTION stored_files.track_2() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET row_security TO 'off'
    SET enable_seqscan TO 'off'
    AS $$
DECLARE
    lost text;
    condemned bigint := 0;
    sees_latest boolean := current_setting('transaction_isolation') IN ('read committed', 'read uncommitted');
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NOT sees_latest THEN
            INSERT INTO stored_files.journal (storage, name, state)
            SELECT 'pictures', n.cover, 'uploading' FROM new_rows AS n WHERE n.cover IS NOT NULL
            ON CONFLICT DO NOTHING;
        END IF;
        WITH claimed AS (
            DELETE FROM stored_files.journal AS j USING new_rows AS n
            WHERE j.storage = 'pictures' AND j.name = n.cover::text COLLATE "C"
            RETURNING j.name, j.state
        )
        SELECT c.name INTO lost FROM claimed AS c WHERE c.state IN ('deleting', 'deleted') LIMIT 1;
    ELSIF TG_OP = 'UPDATE' THEN
        IF NOT sees_latest THEN
            INSERT INTO stored_files.journal (storage, name, state)
            SELECT 'pictures', came.name, 'uploading' FROM (
                SELECT n.cover::text COLLATE "C" AS name FROM new_rows AS n WHERE n.cover IS NOT NULL
                EXCEPT SELECT o.cover::text COLLATE "C" FROM old_rows AS o
            ) AS came
            ON CONFLICT DO NOTHING;
        END IF;
        WITH came AS (
            SELECT n.cover::text COLLATE "C" AS name FROM new_rows AS n WHERE n.cover IS NOT NULL
            EXCEPT SELECT o.cover::text COLLATE "C" FROM old_rows AS o
        ), went AS (
            SELECT o.cover::text COLLATE "C" AS name FROM old_rows AS o WHERE o.cover IS NOT NULL
            EXCEPT SELECT n.cover::text COLLATE "C" FROM new_rows AS n
        ), claimed AS (
            DELETE FROM stored_files.journal AS j USING came
            WHERE j.storage = 'pictures' AND j.name = came.name
            RETURNING j.name, j.state
        ), added AS (
            INSERT INTO stored_files.journal AS j (storage, name, state, is_image)
            SELECT 'pictures', went.name, 'condemned', 't'::boolean FROM went
        ON CONFLICT (storage, name) DO UPDATE
        SET state = 'condemned', since = clock_timestamp(), lease_until = NULL, is_image = EXCLUDED.is_image
        WHERE j.state IN ('uploading', 'condemned')
            RETURNING 1
        )
        SELECT (SELECT c.name FROM claimed AS c WHERE c.state IN ('deleting', 'deleted') LIMIT 1),
            (SELECT count(*) FROM added)
        INTO lost, condemned;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO stored_files.journal AS j (storage, name, state, is_image)
        SELECT DISTINCT 'pictures', o.cover::text COLLATE "C", 'condemned', 't'::boolean
        FROM old_rows AS o WHERE o.cover IS NOT NULL
        ON CONFLICT (storage, name) DO UPDATE
        SET state = 'condemned', since = clock_timestamp(), lease_until = NULL, is_image = EXCLUDED.is_image
        WHERE j.state IN ('uploading', 'condemned');
        GET DIAGNOSTICS condemned = ROW_COUNT;
    ELSE
        IF NOT sees_latest THEN
            RAISE EXCEPTION USING ERRCODE = 'feature_not_supported',
                MESSAGE = format('TRUNCATE of %s, whose rows name files, needs READ COMMITTED: rows that '
                    'this transaction cannot see would leave their files behind', TG_RELID::regclass),
                HINT = 'Use DELETE, or READ COMMITTED.';
        END IF;
        EXECUTE 'INSERT INTO stored_files.journal AS j (storage, name, state, is_image)
        SELECT DISTINCT ''pictures'', t.cover::text COLLATE "C", ''condemned'', ''t''::boolean FROM ' || TG_RELID::regclass || ' AS t WHERE t.cover IS NOT NULL
        ON CONFLICT (storage, name) DO UPDATE
        SET state = ''condemned'', since = clock_timestamp(), lease_until = NULL, is_image = EXCLUDED.is_image
        WHERE j.state IN (''uploading'', ''condemned'')';
        GET DIAGNOSTICS condemned = ROW_COUNT;
    END IF;
    IF lost IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'object_in_use',
            SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, COLUMN = 'cover',
            MESSAGE = format('The file "%s" of the storage "%s" was given up and is being deleted',
                lost, 'pictures'),
            HINT = 'Store the file again, and use its new name.';
    END IF;
    IF condemned > 0 THEN
        PERFORM pg_notify('stored_files', 'pictures');
    END IF;
    RETURN NULL;
END
$$;


--
-- Name: track_3(); Type: FUNCTION; Schema: stored_files; Owner: -
--

CREATE FUNCTION stored_files.track_3() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET row_security TO 'off'
    SET enable_seqscan TO 'off'
    AS $$
DECLARE
    lost text;
    condemned bigint := 0;
    sees_latest boolean := current_setting('transaction_isolation') IN ('read committed', 'read uncommitted');
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NOT sees_latest THEN
            INSERT INTO stored_files.journal (storage, name, state)
            SELECT 'papers', n.paper, 'uploading' FROM new_rows AS n WHERE n.paper IS NOT NULL
            ON CONFLICT DO NOTHING;
        END IF;
        WITH claimed AS (
            DELETE FROM stored_files.journal AS j USING new_rows AS n
            WHERE j.storage = 'papers' AND j.name = n.paper::text COLLATE "C"
            RETURNING j.name, j.state
        )
        SELECT c.name INTO lost FROM claimed AS c WHERE c.state IN ('deleting', 'deleted') LIMIT 1;
    ELSIF TG_OP = 'UPDATE' THEN
        IF NOT sees_latest THEN
            INSERT INTO stored_files.journal (storage, name, state)
            SELECT 'papers', came.name, 'uploading' FROM (
                SELECT n.paper::text COLLATE "C" AS name FROM new_rows AS n WHERE n.paper IS NOT NULL
                EXCEPT SELECT o.paper::text COLLATE "C" FROM old_rows AS o
            ) AS came
            ON CONFLICT DO NOTHING;
        END IF;
        WITH came AS (
            SELECT n.paper::text COLLATE "C" AS name FROM new_rows AS n WHERE n.paper IS NOT NULL
            EXCEPT SELECT o.paper::text COLLATE "C" FROM old_rows AS o
        ), went AS (
            SELECT o.paper::text COLLATE "C" AS name FROM old_rows AS o WHERE o.paper IS NOT NULL
            EXCEPT SELECT n.paper::text COLLATE "C" FROM new_rows AS n
        ), claimed AS (
            DELETE FROM stored_files.journal AS j USING came
            WHERE j.storage = 'papers' AND j.name = came.name
            RETURNING j.name, j.state
        ), added AS (
            INSERT INTO stored_files.journal AS j (storage, name, state, is_image)
            SELECT 'papers', went.name, 'condemned', 'f'::boolean FROM went
        ON CONFLICT (storage, name) DO UPDATE
        SET state = 'condemned', since = clock_timestamp(), lease_until = NULL, is_image = EXCLUDED.is_image
        WHERE j.state IN ('uploading', 'condemned')
            RETURNING 1
        )
        SELECT (SELECT c.name FROM claimed AS c WHERE c.state IN ('deleting', 'deleted') LIMIT 1),
            (SELECT count(*) FROM added)
        INTO lost, condemned;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO stored_files.journal AS j (storage, name, state, is_image)
        SELECT DISTINCT 'papers', o.paper::text COLLATE "C", 'condemned', 'f'::boolean
        FROM old_rows AS o WHERE o.paper IS NOT NULL
        ON CONFLICT (storage, name) DO UPDATE
        SET state = 'condemned', since = clock_timestamp(), lease_until = NULL, is_image = EXCLUDED.is_image
        WHERE j.state IN ('uploading', 'condemned');
        GET DIAGNOSTICS condemned = ROW_COUNT;
    ELSE
        IF NOT sees_latest THEN
            RAISE EXCEPTION USING ERRCODE = 'feature_not_supported',
                MESSAGE = format('TRUNCATE of %s, whose rows name files, needs READ COMMITTED: rows that '
                    'this transaction cannot see would leave their files behind', TG_RELID::regclass),
                HINT = 'Use DELETE, or READ COMMITTED.';
        END IF;
        EXECUTE 'INSERT INTO stored_files.journal AS j (storage, name, state, is_image)
        SELECT DISTINCT ''papers'', t.paper::text COLLATE "C", ''condemned'', ''f''::boolean FROM ' || TG_RELID::regclass || ' AS t WHERE t.paper IS NOT NULL
        ON CONFLICT (storage, name) DO UPDATE
        SET state = ''condemned'', since = clock_timestamp(), lease_until = NULL, is_image = EXCLUDED.is_image
        WHERE j.state IN (''uploading'', ''condemned'')';
        GET DIAGNOSTICS condemned = ROW_COUNT;
    END IF;
    IF lost IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'object_in_use',
            SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, COLUMN = 'paper',
            MESSAGE = format('The file "%s" of the storage "%s" was given up and is being deleted',
                lost, 'papers'),
            HINT = 'Store the file again, and use its new name.';
    END IF;
    IF condemned > 0 THEN
        PERFORM pg_notify('stored_files', 'papers');
    END IF;
    RETURN NULL;
END
$$;


--
-- Name: untrack(regclass, text, boolean); Type: FUNCTION; Schema: stored_files; Owner: -
--

CREATE FUNCTION stored_files.untrack(relation regclass, column_name text, condemns boolean DEFAULT false) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET client_min_messages TO 'warning'
    AS $$
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
$$;


--
-- Name: albums; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.albums (
    id bigint NOT NULL,
    title text NOT NULL,
    paper text,
    cover text,
    cover_width integer,
    cover_height integer,
    CONSTRAINT stored_file_2_size CHECK ((((cover_width IS NULL) AND (cover_height IS NULL)) OR ((cover IS NOT NULL) AND (cover_width IS NOT NULL) AND (cover_height IS NOT NULL) AND (((cover_width = 0) AND (cover_height = 0)) OR ((cover_width > 0) AND (cover_height > 0))))))
);


--
-- Name: albums_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.albums ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.albums_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: parts; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.parts (
    id integer,
    year integer,
    paper text
)
PARTITION BY LIST (year);


--
-- Name: parts_1; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.parts_1 (
    id integer,
    year integer,
    paper text
);


--
-- Name: parts_2; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.parts_2 (
    id integer,
    year integer,
    paper text
);


--
-- Name: component_migrations; Type: TABLE; Schema: stored_files; Owner: -
--

CREATE TABLE stored_files.component_migrations (
    component text NOT NULL,
    migration text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);


--
-- Name: fields_id_seq; Type: SEQUENCE; Schema: stored_files; Owner: -
--

ALTER TABLE stored_files.fields ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME stored_files.fields_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: journal; Type: TABLE; Schema: stored_files; Owner: -
--

CREATE TABLE stored_files.journal (
    storage text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL COLLATE pg_catalog."C",
    state text NOT NULL,
    since timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    lease_until timestamp with time zone,
    transaction_id xid8,
    attempts integer DEFAULT 0 NOT NULL,
    last_error text,
    is_image boolean DEFAULT false NOT NULL,
    CONSTRAINT journal_state_check CHECK ((state = ANY (ARRAY['uploading'::text, 'condemned'::text, 'deleting'::text, 'deleted'::text])))
)
WITH (fillfactor='70', autovacuum_vacuum_scale_factor='0.02', autovacuum_vacuum_threshold='1000');


--
-- Name: TABLE journal; Type: COMMENT; Schema: stored_files; Owner: -
--

COMMENT ON TABLE stored_files.journal IS 'Names of files that are being uploaded or that no row names any more. A live file is not in it.';


--
-- Name: migrations; Type: TABLE; Schema: stored_files; Owner: -
--

CREATE TABLE stored_files.migrations (
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);


--
-- Name: parts_1; Type: TABLE ATTACH; Schema: public; Owner: -
--

ALTER TABLE ONLY public.parts ATTACH PARTITION public.parts_1 FOR VALUES IN (1);


--
-- Name: parts_2; Type: TABLE ATTACH; Schema: public; Owner: -
--

ALTER TABLE ONLY public.parts ATTACH PARTITION public.parts_2 FOR VALUES IN (2);


--
-- Data for Name: albums; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.albums (id, title, paper, cover, cover_width, cover_height) FROM stdin;
1	live	live	\N	\N	\N
5	revived	revived	\N	\N	\N
6	image	\N	covers/a.png	3	4
\.


--
-- Data for Name: parts_1; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.parts_1 (id, year, paper) FROM stdin;
1	1	part one
\.


--
-- Data for Name: parts_2; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.parts_2 (id, year, paper) FROM stdin;
2	2	part two
\.


--
-- Data for Name: component_migrations; Type: TABLE DATA; Schema: stored_files; Owner: -
--

COPY stored_files.component_migrations (component, migration, applied_at) FROM stdin;
journal	1 journal and fields	2026-11-30 05:12:00.735726+00
\.


--
-- Data for Name: fields; Type: TABLE DATA; Schema: stored_files; Owner: -
--

COPY stored_files.fields (id, relation, column_name, storage, is_image, width_column, height_column) FROM stdin;
1	public.albums	paper	papers	f	\N	\N
2	public.albums	cover	pictures	t	cover_width	cover_height
3	public.parts	paper	papers	f	\N	\N
\.


--
-- Data for Name: journal; Type: TABLE DATA; Schema: stored_files; Owner: -
--

COPY stored_files.journal (storage, name, state, since, lease_until, transaction_id, attempts, last_error, is_image) FROM stdin;
papers	condemned	condemned	2026-11-30 05:12:00.765079+00	\N	\N	0	\N	f
papers	marked	deleting	2026-11-30 05:12:00.765295+00	2026-11-30 05:12:00.766247+00	739	0	\N	f
papers	gone	deleted	2026-11-30 00:00:00+00	\N	739	0	\N	f
papers	revived	condemned	2026-11-30 05:12:00.766875+00	\N	\N	0	\N	f
papers	uploading	uploading	2026-11-30 05:12:00.76722+00	2200-01-01 00:00:00+00	\N	0	\N	f
papers	lapsed	uploading	2026-11-30 05:12:00.767237+00	2026-11-30 00:00:00+00	\N	0	\N	f
\.


--
-- Data for Name: migrations; Type: TABLE DATA; Schema: stored_files; Owner: -
--

COPY stored_files.migrations (name, checksum, applied_at) FROM stdin;
create albums	cb03085ebdf3b662	2026-11-30 05:12:00.747017+00
partitions	fe5452f8d2806fdb	2026-11-30 05:12:00.754631+00
\.


--
-- Name: albums_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.albums_id_seq', 6, true);


--
-- Name: fields_id_seq; Type: SEQUENCE SET; Schema: stored_files; Owner: -
--

SELECT pg_catalog.setval('stored_files.fields_id_seq', 3, true);


--
-- Name: albums albums_cover_names_one_row; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.albums
    ADD CONSTRAINT albums_cover_names_one_row UNIQUE (cover);


--
-- Name: albums albums_paper_names_one_row; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.albums
    ADD CONSTRAINT albums_paper_names_one_row UNIQUE (paper);


--
-- Name: albums albums_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.albums
    ADD CONSTRAINT albums_pkey PRIMARY KEY (id);


--
-- Name: component_migrations component_migrations_pkey; Type: CONSTRAINT; Schema: stored_files; Owner: -
--

ALTER TABLE ONLY stored_files.component_migrations
    ADD CONSTRAINT component_migrations_pkey PRIMARY KEY (component, migration);


--
-- Name: fields fields_pkey; Type: CONSTRAINT; Schema: stored_files; Owner: -
--

ALTER TABLE ONLY stored_files.fields
    ADD CONSTRAINT fields_pkey PRIMARY KEY (id);


--
-- Name: fields fields_relation_column_name_key; Type: CONSTRAINT; Schema: stored_files; Owner: -
--

ALTER TABLE ONLY stored_files.fields
    ADD CONSTRAINT fields_relation_column_name_key UNIQUE (relation, column_name);


--
-- Name: journal journal_pkey; Type: CONSTRAINT; Schema: stored_files; Owner: -
--

ALTER TABLE ONLY stored_files.journal
    ADD CONSTRAINT journal_pkey PRIMARY KEY (storage, name);


--
-- Name: migrations migrations_pkey; Type: CONSTRAINT; Schema: stored_files; Owner: -
--

ALTER TABLE ONLY stored_files.migrations
    ADD CONSTRAINT migrations_pkey PRIMARY KEY (name);


--
-- Name: journal_due; Type: INDEX; Schema: stored_files; Owner: -
--

CREATE INDEX journal_due ON stored_files.journal USING btree (storage, state, since);


--
-- Name: albums stored_file_1_delete; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER stored_file_1_delete AFTER DELETE ON public.albums REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION stored_files.track_1();


--
-- Name: albums stored_file_1_insert; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER stored_file_1_insert AFTER INSERT ON public.albums REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stored_files.track_1();


--
-- Name: albums stored_file_1_truncate; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER stored_file_1_truncate BEFORE TRUNCATE ON public.albums FOR EACH STATEMENT EXECUTE FUNCTION stored_files.track_1();


--
-- Name: albums stored_file_1_update; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER stored_file_1_update AFTER UPDATE ON public.albums REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stored_files.track_1();


--
-- Name: albums stored_file_2_delete; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER stored_file_2_delete AFTER DELETE ON public.albums REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION stored_files.track_2();


--
-- Name: albums stored_file_2_insert; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER stored_file_2_insert AFTER INSERT ON public.albums REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stored_files.track_2();


--
-- Name: albums stored_file_2_truncate; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER stored_file_2_truncate BEFORE TRUNCATE ON public.albums FOR EACH STATEMENT EXECUTE FUNCTION stored_files.track_2();


--
-- Name: albums stored_file_2_update; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER stored_file_2_update AFTER UPDATE ON public.albums REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stored_files.track_2();


--
-- Name: parts stored_file_3_delete; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER stored_file_3_delete AFTER DELETE ON public.parts REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION stored_files.track_3();


--
-- Name: parts_1 stored_file_3_delete; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER stored_file_3_delete AFTER DELETE ON public.parts_1 REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION stored_files.track_3();


--
-- Name: parts_2 stored_file_3_delete; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER stored_file_3_delete AFTER DELETE ON public.parts_2 REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION stored_files.track_3();


--
-- Name: parts stored_file_3_insert; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER stored_file_3_insert AFTER INSERT ON public.parts REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stored_files.track_3();


--
-- Name: parts_1 stored_file_3_insert; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER stored_file_3_insert AFTER INSERT ON public.parts_1 REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stored_files.track_3();


--
-- Name: parts_2 stored_file_3_insert; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER stored_file_3_insert AFTER INSERT ON public.parts_2 REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stored_files.track_3();


--
-- Name: parts stored_file_3_truncate; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER stored_file_3_truncate BEFORE TRUNCATE ON public.parts FOR EACH STATEMENT EXECUTE FUNCTION stored_files.track_3();


--
-- Name: parts_1 stored_file_3_truncate; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER stored_file_3_truncate BEFORE TRUNCATE ON public.parts_1 FOR EACH STATEMENT EXECUTE FUNCTION stored_files.track_3();


--
-- Name: parts_2 stored_file_3_truncate; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER stored_file_3_truncate BEFORE TRUNCATE ON public.parts_2 FOR EACH STATEMENT EXECUTE FUNCTION stored_files.track_3();


--
-- Name: parts stored_file_3_update; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER stored_file_3_update AFTER UPDATE ON public.parts REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stored_files.track_3();


--
-- Name: parts_1 stored_file_3_update; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER stored_file_3_update AFTER UPDATE ON public.parts_1 REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stored_files.track_3();


--
-- Name: parts_2 stored_file_3_update; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER stored_file_3_update AFTER UPDATE ON public.parts_2 REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stored_files.track_3();


--
-- Name: albums zz_stored_file_2_forget_size; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER zz_stored_file_2_forget_size BEFORE UPDATE ON public.albums FOR EACH ROW WHEN (((old.cover IS DISTINCT FROM new.cover) AND (NOT (old.cover_width IS DISTINCT FROM new.cover_width)) AND (NOT (old.cover_height IS DISTINCT FROM new.cover_height)))) EXECUTE FUNCTION stored_files.forget_size_2();


--
-- PostgreSQL database dump complete
--

\unrestrict j6yPLOWTgCx31QGG0lYRbEpX1ARyFg0V3QArPMHtylVgIcsLjfyVHlBhaaK5lXV

