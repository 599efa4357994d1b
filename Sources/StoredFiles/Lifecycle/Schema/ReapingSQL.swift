import PostgresModels

/// The functions of the reaper that need several statements in one transaction, each with a snapshot of its own.
enum ReapingSQL {
    /// Which of some names the rows of any field still have.
    ///
    /// `row_security = off`: a policy that hides rows must end in an error, not in the deletion of their files.
    static let named: SQL = #"""
        CREATE FUNCTION stored_files.named(storage text, names text[]) RETURNS SETOF text
        LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET row_security = off AS $body$
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
        $body$
        """#

    /// Takes names that are marked for deletion, unless a row has them after all: then they are live again.
    ///
    /// The first statement locks the journal's rows: whoever condemns the name meanwhile waits, so that its condemnation
    /// is not lost when the row goes. It takes only names for which every transaction that was running when they were
    /// marked has ended. The second statement, with a later snapshot, therefore sees every row that can name one of
    /// them: newer transactions were refused the claim. At READ COMMITTED only.
    static let take: SQL = #"""
        CREATE FUNCTION stored_files.take(storage text, batch integer, lease interval, wanted text DEFAULT NULL)
        RETURNS TABLE (name text, is_image boolean, attempts integer, is_live boolean)
        LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
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
        $body$
        """#

    /// Takes tombstones that nobody can need any more: old enough, and older than every snapshot in use.
    ///
    /// A writer at REPEATABLE READ or above is kept from naming a deleted file by the journal row that it cannot see; so
    /// the row has to stay as long as a snapshot from before it is in use, however old that is.
    static let takeTombstones: SQL = #"""
        CREATE FUNCTION stored_files.take_tombstones(storage text, batch integer, age interval, lease interval)
        RETURNS TABLE (name text, is_image boolean)
        LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
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
        $body$
        """#
}
