/// The functions of the reaper that need several statements in one transaction.
enum ReapingSQL {
    /// The functions, in an order in which each is there when another is made that needs it.
    static let functions = [
        drain, mark, take, bury, postpone,
        takeTombstones, condemn, pardon,
    ]

    /// Moves names that statements let go of into the journal, some ten thousand at once, in the order of their places.
    ///
    /// The table has no index, which keeps its writers from ever meeting there. A look begins behind the place where
    /// the one before has ended. Returns that place; NULL when nothing was left.
    private static let drain = #"""
        CREATE OR REPLACE FUNCTION stored_files.drain(storage text, batch integer, start tid DEFAULT '(0,0)') RETURNS tid
        LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off
            SET lock_timeout = '200ms' AS $body$
        #variable_conflict use_column
        DECLARE
            part record;
            places tid[] := '{}';
            size integer := 0;
            moving constant text := 'INSERT INTO stored_files.journal AS j (storage, name, state, since, is_image) '
                'SELECT DISTINCT ON (d.name) $1, d.name, ''condemned'', d.since, d.is_image FROM ('
                'SELECT u COLLATE "C" AS name, l.is_image, greatest(l.since, CASE WHEN $3 THEN pg_xact_commit_timestamp(l.xmin) END) '
                'AS since FROM stored_files.let_go AS l, unnest(l.names) AS u WHERE l.ctid = ANY ($2)) AS d '
                'ORDER BY d.name, d.since DESC ON CONFLICT (storage, name) DO UPDATE SET state = ''condemned'', '
                'since = greatest(j.since, EXCLUDED.since), lease_until = NULL, is_image = j.is_image OR EXCLUDED.is_image, '
                'transaction_id = NULL WHERE j.state IN (''uploading'', ''condemned'') OR j.state = ''deleting'' AND j.attempts = 0';
            has_commit_times constant boolean := current_setting('track_commit_timestamp') = 'on';
        BEGIN
            PERFORM stored_files.need_read_committed('drain');
            FOR part IN
                SELECT l.ctid AS place, cardinality(l.names) AS size FROM stored_files.let_go AS l
                WHERE l.ctid > drain.start AND l.storage = drain.storage LIMIT drain.batch FOR UPDATE SKIP LOCKED
            LOOP
                places := places || part.place;
                size := size + part.size;
                EXIT WHEN size >= 10000;
            END LOOP;
            IF places = '{}' THEN
                RETURN NULL;
            END IF;
            BEGIN
                EXECUTE moving USING drain.storage, places, has_commit_times;
                DELETE FROM stored_files.let_go AS l WHERE l.ctid = ANY (places);
            EXCEPTION WHEN lock_not_available THEN
                -- A transaction with an old snapshot names one of them, and is still open: that one later.
                PERFORM set_config('lock_timeout', '50ms', true);
                FOR part IN SELECT p AS place FROM unnest(places) AS p LOOP
                    BEGIN
                        EXECUTE moving USING drain.storage, ARRAY[part.place], has_commit_times;
                        DELETE FROM stored_files.let_go AS l WHERE l.ctid = part.place;
                    EXCEPTION WHEN lock_not_available THEN
                        NULL;
                    END;
                END LOOP;
            END;
            RETURN places[cardinality(places)];
        END
        $body$
        """#

    /// Marks names that are due.
    ///
    /// A name that a row has is dropped from the journal instead. A marked name gets the id of this transaction: what
    /// was running before has to end before anybody looks again.
    private static let mark = #"""
        CREATE OR REPLACE FUNCTION stored_files.mark(
            storage text, batch integer, retention interval, wanted text DEFAULT NULL,
                newer_than timestamptz DEFAULT NULL
        ) RETURNS TABLE (marked integer, revived integer, newest timestamptz)
        LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $body$
        #variable_conflict use_column
        DECLARE
            due text[];
            live text[];
        BEGIN
            PERFORM stored_files.need_read_committed('mark');
            PERFORM stored_files.check_catalogue(mark.storage);
            marked := 0;
            revived := 0;
            IF mark.wanted IS NOT NULL THEN
                due := ARRAY(
                    SELECT j.name FROM stored_files.journal AS j WHERE j.storage = mark.storage AND j.name = mark.wanted
                    AND (j.state = 'condemned' OR j.state = 'uploading' AND j.lease_until < clock_timestamp())
                        FOR UPDATE SKIP LOCKED
                );
            ELSE
                -- What is marked cannot be claimed. While thousands wait for an old transaction, or for a storage that
                -- is down,
                -- more of them serve nobody.
                IF 5000 < (SELECT count(*) FROM (SELECT FROM stored_files.journal AS j
                    WHERE j.storage = mark.storage AND j.state = 'deleting' LIMIT 5001) AS d)
                THEN
                    RETURN NEXT;
                    RETURN;
                END IF;
                WITH condemned AS (
                    SELECT j.name, j.since FROM stored_files.journal AS j
                    WHERE j.storage = mark.storage AND j.state = 'condemned'
                        AND j.since <= clock_timestamp() - mark.retention
                    AND (mark.newer_than IS NULL OR j.since >= mark.newer_than)
                    ORDER BY j.since LIMIT mark.batch FOR UPDATE SKIP LOCKED
                ), lapsed AS (
                    -- Reservations that an earlier version of the library has made.
                    SELECT j.name FROM stored_files.journal AS j
                    WHERE j.storage = mark.storage AND j.state = 'uploading' AND j.lease_until < clock_timestamp()
                    ORDER BY j.lease_until LIMIT mark.batch FOR UPDATE SKIP LOCKED
                ), due AS (SELECT c.name FROM condemned AS c UNION ALL SELECT l.name FROM lapsed AS l)
                SELECT coalesce(array_agg(d.name), '{}'), (SELECT max(c.since) FROM condemned AS c)
                INTO due, newest FROM due AS d;
            END IF;
            IF due = '{}' THEN
                RETURN NEXT;
                RETURN;
            END IF;
            -- A name that is being deleted has no reservation; one that a claim holds is left to the next look.
            DELETE FROM stored_files.reservations AS r WHERE r.ctid = ANY (ARRAY(
                SELECT h.ctid FROM stored_files.reservations AS h WHERE h.storage = mark.storage AND h.name = ANY (due)
                FOR UPDATE SKIP LOCKED));
            due := ARRAY(SELECT d FROM unnest(due) AS d EXCEPT
                SELECT r.name FROM stored_files.reservations AS r WHERE r.storage = mark.storage
                    AND r.name = ANY (due));
            live := ARRAY(SELECT DISTINCT n FROM stored_files.named(mark.storage, due) AS n);
            DELETE FROM stored_files.journal AS j WHERE j.storage = mark.storage AND j.name = ANY (live);
            GET DIAGNOSTICS revived = ROW_COUNT;
            UPDATE stored_files.journal AS j SET state = 'deleting', lease_until = clock_timestamp(), attempts = 0,
                transaction_id = pg_current_xact_id(), origin = stored_files.origin()
            WHERE j.storage = mark.storage AND j.name = ANY (due) AND NOT j.name = ANY (live);
            GET DIAGNOSTICS marked = ROW_COUNT;
            RETURN NEXT;
        END
        $body$
        """#

    /// Takes names that are marked for deletion, unless a row has them after all: then they are live again.
    ///
    /// The first statement locks the journal's rows: a transaction that condemns the name meanwhile waits, so that its
    /// condemnation is not lost when the row goes. It takes only names for which every transaction that was running
    /// when they were marked has ended. The second statement, with a later snapshot, therefore sees every row that can
    /// name one of them: newer transactions were refused the claim.
    private static let take = #"""
        CREATE OR REPLACE FUNCTION stored_files.take(storage text, batch integer, lease interval,
            wanted text DEFAULT NULL)
        RETURNS TABLE (name text, is_image boolean, attempts integer, is_live boolean)
        LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $body$
        #variable_conflict use_column
        DECLARE
            locked text[];
            live text[];
            here text := stored_files.origin();
            snapshot pg_snapshot := pg_current_snapshot();
        BEGIN
            PERFORM stored_files.need_read_committed('take');
            PERFORM stored_files.check_catalogue(take.storage);
            -- An id of another cluster says nothing here, and nothing of that cluster runs here. Without an origin it
            -- was written
            -- by an earlier version; then one from the future must be another cluster's.
            locked := ARRAY(
                SELECT j.name FROM stored_files.journal AS j
                WHERE j.storage = take.storage AND j.state = 'deleting' AND j.lease_until <= clock_timestamp()
                AND (j.transaction_id IS NULL OR j.origin <> here OR j.transaction_id < pg_snapshot_xmin(snapshot)
                    OR j.transaction_id >= pg_snapshot_xmax(pg_current_snapshot()))
                AND (take.wanted IS NULL OR j.name = take.wanted)
                ORDER BY j.lease_until LIMIT take.batch FOR UPDATE SKIP LOCKED
            );
            IF locked = '{}' THEN
                RETURN;
            END IF;
            -- A mark of an earlier version leaves the reservation, and a claim that finds one looks no further: it goes, or
            -- a claim holds it, and the name is left to the next look.
            DELETE FROM stored_files.reservations AS r WHERE r.ctid = ANY (ARRAY(
                SELECT h.ctid FROM stored_files.reservations AS h WHERE h.storage = take.storage
                AND h.name = ANY (locked) FOR UPDATE SKIP LOCKED));
            locked := ARRAY(SELECT k FROM unnest(locked) AS k EXCEPT
                SELECT r.name FROM stored_files.reservations AS r WHERE r.storage = take.storage
                    AND r.name = ANY (locked));
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
        $body$
        """#

    /// Notes that objects are gone.
    ///
    /// Their tombstones keep the names from being used by a writer that knows no better. `coalesce`, here and below: an
    /// index for due names must not be chosen to look up a name.
    private static let bury = #"""
        CREATE OR REPLACE FUNCTION stored_files.bury(storage text, names text[]) RETURNS integer
        LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $body$
        DECLARE
            count integer;
        BEGIN
            UPDATE stored_files.journal AS j SET state = 'deleted', since = clock_timestamp(), lease_until = NULL,
                last_error = NULL, transaction_id = pg_current_xact_id(), origin = stored_files.origin()
            WHERE j.storage = bury.storage AND j.name = ANY (bury.names) AND coalesce(j.state) = 'deleting';
            GET DIAGNOSTICS count = ROW_COUNT;
            RETURN count;
        END
        $body$
        """#

    /// Notes that objects could not be deleted, and when to try again.
    private static let postpone = #"""
        CREATE OR REPLACE FUNCTION stored_files.postpone(storage text, names text[], errors text[],
            delays double precision[]) RETURNS void
        LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $body$
        BEGIN
            EXECUTE 'UPDATE stored_files.journal AS j SET last_error = f.error, '
                'lease_until = clock_timestamp() + make_interval(secs => f.delay) '
                'FROM unnest($2, $3, $4) AS f (name, error, delay) '
                'WHERE j.storage = $1 AND j.name = f.name COLLATE "C" AND coalesce(j.state) = ''deleting'''
                USING storage, names, errors, delays;
        END
        $body$
        """#

    /// Takes tombstones that nobody can need any more: old enough, and older than every snapshot in use.
    ///
    /// A writer at REPEATABLE READ or above is kept from naming a deleted file by the journal row that it cannot see;
    /// so the row has to stay as long as a snapshot from before it is in use, however old that is.
    private static let takeTombstones = #"""
        CREATE OR REPLACE FUNCTION stored_files.take_tombstones(storage text, batch integer, age interval,
            lease interval)
        RETURNS TABLE (name text, is_image boolean)
        LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $body$
        #variable_conflict use_column
        DECLARE
            here text := stored_files.origin();
            -- The oldest snapshot in use, as a number that does not wrap.
            oldest numeric := pg_snapshot_xmax(pg_current_snapshot())::text::numeric - coalesce((
                SELECT max(age(a.backend_xmin)) FROM pg_stat_activity AS a
                WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()), 0);
            due text[];
            live text[];
        BEGIN
            PERFORM stored_files.need_read_committed('take_tombstones');
            PERFORM stored_files.check_catalogue(take_tombstones.storage);
            due := ARRAY(
                SELECT j.name FROM stored_files.journal AS j
                WHERE j.storage = take_tombstones.storage AND j.state = 'deleted'
                AND j.since <= clock_timestamp() - take_tombstones.age
                AND (j.lease_until IS NULL OR j.lease_until <= clock_timestamp())
                AND (j.transaction_id IS NULL OR j.origin <> here OR j.transaction_id::text::numeric < oldest
                    OR j.transaction_id >= pg_snapshot_xmax(pg_current_snapshot()))
                ORDER BY j.since LIMIT take_tombstones.batch FOR UPDATE SKIP LOCKED
            );
            IF due = '{}' THEN
                RETURN;
            END IF;
            -- A row may name it again: somebody brought both back past the triggers.
            live := ARRAY(SELECT DISTINCT n FROM stored_files.named(take_tombstones.storage, due) AS n);
            DELETE FROM stored_files.journal AS j WHERE j.storage = take_tombstones.storage AND j.name = ANY (live);
            RETURN QUERY UPDATE stored_files.journal AS j SET lease_until = clock_timestamp() + take_tombstones.lease
                WHERE j.storage = take_tombstones.storage AND j.name = ANY (due) AND NOT j.name = ANY (live)
                RETURNING j.name, j.is_image;
        END
        $body$
        """#

    /// Condemns names that neither a row nor a reservation has; how many were new.
    private static let condemn = #"""
        CREATE OR REPLACE FUNCTION stored_files.condemn(storage text, names text[]) RETURNS integer
        LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $body$
        #variable_conflict use_column
        DECLARE
            count integer;
        BEGIN
            PERFORM stored_files.need_read_committed('condemn');
            INSERT INTO stored_files.journal (storage, name, state)
            SELECT condemn.storage, d.n, 'condemned' FROM (SELECT DISTINCT u COLLATE "C" AS n
                FROM unnest(condemn.names) AS u
                WHERE u <> '' AND octet_length(u) <= 1024
                EXCEPT SELECT r.name FROM stored_files.reservations AS r WHERE r.storage = condemn.storage
                    AND r.name = ANY (condemn.names)
                EXCEPT SELECT n FROM stored_files.named(condemn.storage, condemn.names) AS n) AS d
            ON CONFLICT DO NOTHING;
            GET DIAGNOSTICS count = ROW_COUNT;
            RETURN count;
        END
        $body$
        """#

    /// Drops tombstones, and what is condemned: for a restore that brings back files and rows.
    private static let pardon = #"""
        CREATE OR REPLACE FUNCTION stored_files.pardon(storage text, names text[]) RETURNS integer
        LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $body$
        DECLARE
            count integer;
        BEGIN
            DELETE FROM stored_files.journal AS j WHERE j.storage = pardon.storage AND j.name = ANY (pardon.names)
            AND (coalesce(j.state) IN ('deleted', 'condemned') OR coalesce(j.state) = 'deleting' AND j.attempts = 0);
            GET DIAGNOSTICS count = ROW_COUNT;
            RETURN count;
        END
        $body$
        """#
}
