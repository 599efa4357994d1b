/// The functions of reservations: files that are being uploaded, or that wait for the row that will name them.
enum ReservationSQL {
    /// The functions, in an order in which each is there when another is made that needs it.
    static let functions = [
        needReadCommitted, beDurable, fieldOf, reserve, extend,
        giveUp, lapse,
    ]

    /// Ends in 25000 where the statements of a function would share one snapshot, and has what they write kept.
    private static let needReadCommitted = #"""
        CREATE OR REPLACE FUNCTION stored_files.need_read_committed(what text) RETURNS void
        LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
        BEGIN
            IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
                RAISE EXCEPTION USING ERRCODE = 'invalid_transaction_state',
                    MESSAGE = format('stored_files.%s needs READ COMMITTED: its statements must see what was committed meanwhile', what);
            END IF;
            PERFORM stored_files.be_durable();
        END
        $body$
        """#

    /// The function that makes the end of the transaction durable before it is reported.
    private static let beDurable = #"""
        CREATE OR REPLACE FUNCTION stored_files.be_durable() RETURNS void
        LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
        BEGIN
            -- Objects are not rolled back by a crash. Where nobody waits for the disk this transaction does, and no
            -- more than that.
            IF current_setting('synchronous_commit') = 'off' THEN
                PERFORM set_config('synchronous_commit', 'local', true);
            END IF;
        END
        $body$
        """#

    /// The field that a model's column is, whatever other programs have renamed.
    private static let fieldOf = #"""
        CREATE OR REPLACE FUNCTION stored_files.field_of(target oid, column_name text) RETURNS stored_files.fields
        LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $body$
        #variable_conflict use_column
        DECLARE
            field stored_files.fields;
            place record;
        BEGIN
            SELECT f.* INTO field FROM stored_files.fields AS f
            WHERE f.relation = target AND f.column_name = field_of.column_name AND f.ended_at IS NULL
            AND EXISTS (SELECT FROM pg_trigger AS t WHERE t.tgrelid = target
                AND t.tgname = format('stored_file_%s_update', f.id))
            AND EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = target
                AND a.attname = field_of.column_name::name AND NOT a.attisdropped);
            IF field.id IS NOT NULL THEN
                RETURN field;
            END IF;
            -- Renamed, restored, or a partition: the triggers know. A partition that was detached has none any more.
            FOR place IN
                SELECT target AS relation
                UNION ALL SELECT pg_partition_root(target) WHERE pg_partition_root(target) <> target
                UNION ALL SELECT f.relation FROM stored_files.partitions AS p
                    JOIN stored_files.fields AS f ON f.id = p.field
                    WHERE p.relation = target AND p.origin = stored_files.origin()
            LOOP
                -- To ask all triggers of the database is slow, and a table that was never tracked is asked for each file.
                CONTINUE WHEN NOT EXISTS (SELECT FROM pg_trigger AS t WHERE t.tgrelid = place.relation
                        AND starts_with(t.tgname::text, 'stored_file_'))
                    AND NOT EXISTS (SELECT FROM stored_files.fields AS f JOIN pg_class AS c ON c.relname = f.table_name
                        WHERE c.oid = place.relation AND f.column_name = field_of.column_name);
                field := stored_files.field_at(place.relation::regclass, column_name);
                EXIT WHEN field.id IS NOT NULL AND field.ended_at IS NULL;
                field := NULL;
            END LOOP;
            RETURN field;
        END
        $body$
        """#

    /// Notes that a file is about to be uploaded; the storage of the column's field, or NULL when it has no field.
    private static let reserve = #"""
        CREATE OR REPLACE FUNCTION stored_files.reserve(
            storage text, name text, relation oid, column_name text, period interval, is_image boolean
        ) RETURNS text
        LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
        #variable_conflict use_column
        DECLARE
            field stored_files.fields := stored_files.field_of(reserve.relation, reserve.column_name);
        BEGIN
            IF field.id IS NULL OR field.storage <> reserve.storage THEN
                RETURN field.storage;
            END IF;
            PERFORM stored_files.be_durable();
            INSERT INTO stored_files.reservations (storage, name, until, field, is_image)
            VALUES (reserve.storage, reserve.name, clock_timestamp() + reserve.period, field.id, reserve.is_image);
            RETURN field.storage;
        END
        $body$
        """#

    /// Keeps files whose uploads are under way from being taken for abandoned.
    private static let extend = #"""
        CREATE OR REPLACE FUNCTION stored_files.extend(storages text[], names text[], period interval) RETURNS void
        LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $body$
        BEGIN
            -- A reservation that a claim holds needs none, and waiting for it would make other claims wait for this.
            EXECUTE 'UPDATE stored_files.reservations AS r SET until = clock_timestamp() + $3 WHERE r.ctid = ANY (ARRAY('
                'SELECT h.ctid FROM unnest($1, $2) AS k (storage, name) '
                'JOIN stored_files.reservations AS h ON h.storage = k.storage AND h.name = k.name COLLATE "C" FOR UPDATE OF h SKIP LOCKED))'
                USING storages, names, period;
        END
        $body$
        """#

    /// Takes a file that no row has claimed for deletion by this process; false when a row names it or may.
    private static let giveUp = #"""
        CREATE OR REPLACE FUNCTION stored_files.give_up(storage text, name text, lease interval) RETURNS boolean
        LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off
            SET lock_timeout = 0 AS $body$
        #variable_conflict use_column
        DECLARE
            image boolean;
            inserted boolean;
        BEGIN
            PERFORM stored_files.need_read_committed('give_up');
            -- Whoever claims it at READ COMMITTED has to have this row: it is gone, or locked, or the claim waits for
            -- this.
            SELECT r.is_image INTO image FROM stored_files.reservations AS r
            WHERE r.storage = give_up.storage AND r.name = give_up.name FOR UPDATE SKIP LOCKED;
            IF NOT FOUND THEN
                RETURN false;
            END IF;
            -- Whoever claims it with an older snapshot probes the journal: the one that came first is waited for, and
            -- a later one
            -- waits for this, and fails.
            BEGIN
                PERFORM set_config('lock_timeout', '1s', true);
                INSERT INTO stored_files.journal (storage, name, state, is_image, attempts, lease_until, origin)
                VALUES (give_up.storage, give_up.name, 'deleting', image, 1, clock_timestamp() + give_up.lease,
                    stored_files.origin())
                ON CONFLICT DO NOTHING;
                inserted := FOUND;
                PERFORM set_config('lock_timeout', '0', true);
            EXCEPTION WHEN lock_not_available THEN
                RETURN false;
            END;
            IF inserted AND EXISTS (SELECT FROM stored_files.named(give_up.storage, ARRAY[give_up.name])) THEN
                DELETE FROM stored_files.journal AS j WHERE j.storage = give_up.storage AND j.name = give_up.name;
                inserted := false;
            END IF;
            DELETE FROM stored_files.reservations AS r WHERE r.storage = give_up.storage AND r.name = give_up.name;
            RETURN inserted;
        END
        $body$
        """#

    /// Takes reservations that have run out for deletion, unless a row names the file; how many there were.
    private static let lapse = #"""
        CREATE OR REPLACE FUNCTION stored_files.lapse(storage text, batch integer) RETURNS integer
        LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off
            SET lock_timeout = 0 AS $body$
        #variable_conflict use_column
        DECLARE
            due text[];
            moved text[] := '{}';
            live text[];
            item text;
            here text := stored_files.origin();
            own xid8;
        BEGIN
            PERFORM stored_files.need_read_committed('lapse');
            PERFORM stored_files.check_catalogue(lapse.storage);
            due := ARRAY(
                SELECT r.name FROM stored_files.reservations AS r
                WHERE r.storage = lapse.storage AND r.until < clock_timestamp() AND r.until < 'infinity'
                -- No trigger claims what is uploaded for a column that was untracked; it may be tracked again, as after a
                -- change of its type.
                AND NOT EXISTS (SELECT FROM stored_files.fields AS f WHERE f.id = r.field AND f.ended_at IS NOT NULL)
                ORDER BY r.until LIMIT lapse.batch FOR UPDATE SKIP LOCKED
            );
            IF due = '{}' THEN
                RETURN 0;
            END IF;
            own := pg_current_xact_id();
            -- First the journal, then the rows: see give_up. The id of this transaction makes take wait for writers
            -- whose
            -- triggers are not fired.
            BEGIN
                PERFORM set_config('lock_timeout', '200ms', true);
                WITH added AS (
                    INSERT INTO stored_files.journal (storage, name, state, is_image, lease_until, transaction_id,
                        origin)
                    SELECT r.storage, r.name, 'deleting', r.is_image, clock_timestamp(), own, here
                    FROM stored_files.reservations AS r WHERE r.storage = lapse.storage AND r.name = ANY (due)
                    ON CONFLICT DO NOTHING RETURNING name
                ) SELECT coalesce(array_agg(a.name), '{}') INTO moved FROM added AS a;
                PERFORM set_config('lock_timeout', '0', true);
            EXCEPTION WHEN lock_not_available THEN
                -- A transaction with an old snapshot names one of them, and is still open.
                FOREACH item IN ARRAY due LOOP
                    BEGIN
                        PERFORM set_config('lock_timeout', '50ms', true);
                        INSERT INTO stored_files.journal (storage, name, state, is_image, lease_until, transaction_id,
                            origin)
                        SELECT r.storage, r.name, 'deleting', r.is_image, clock_timestamp(), own, here
                        FROM stored_files.reservations AS r WHERE r.storage = lapse.storage AND r.name = item
                        ON CONFLICT DO NOTHING;
                        IF FOUND THEN
                            moved := moved || item;
                        END IF;
                        PERFORM set_config('lock_timeout', '0', true);
                    EXCEPTION WHEN lock_not_available THEN
                        due := array_remove(due, item);
                        UPDATE stored_files.reservations AS r SET until = clock_timestamp() + interval '10 s'
                        WHERE r.storage = lapse.storage AND r.name = item;
                    END;
                END LOOP;
            END;
            live := ARRAY(SELECT DISTINCT n FROM stored_files.named(lapse.storage, moved) AS n);
            DELETE FROM stored_files.journal AS j WHERE j.storage = lapse.storage AND j.name = ANY (live);
            DELETE FROM stored_files.reservations AS r WHERE r.storage = lapse.storage AND r.name = ANY (due);
            RETURN cardinality(due);
        END
        $body$
        """#
}
