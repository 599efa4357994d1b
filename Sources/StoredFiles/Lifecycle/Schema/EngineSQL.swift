/// The requirements for a server, checked before anything is made in it.
enum EngineSQL {
    /// Fails on servers that speak the protocol of PostgreSQL and lack what the triggers need.
    static let requirements = #"""
        DO $body$
        BEGIN
            IF version() !~ '^PostgreSQL' THEN
                RAISE EXCEPTION USING ERRCODE = 'feature_not_supported', MESSAGE = format(
                    'Files cannot be kept with the rows of this server (%s): it is not PostgreSQL', split_part(version(), ' ', 1));
            END IF;
            IF current_setting('server_version_num')::integer < 130000 THEN
                RAISE EXCEPTION USING ERRCODE = 'feature_not_supported', MESSAGE = format(
                    'Files cannot be kept with the rows of PostgreSQL %s: 13 is the oldest version that will do',
                    current_setting('server_version'));
            END IF;
            IF to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL
                AND current_setting('citus.enable_schema_based_sharding', true) = 'on'
            THEN
                RAISE EXCEPTION USING ERRCODE = 'feature_not_supported',
                    MESSAGE = 'Citus would make the schema of the journal a distributed one',
                    HINT = 'Migrate with citus.enable_schema_based_sharding = off, on the coordinator.';
            END IF;
            -- In a block of its own, whose end undoes it.
            BEGIN
                CREATE TEMPORARY TABLE stored_files_requirement (name text) ON COMMIT DROP;
                CREATE FUNCTION pg_temp.stored_files_requirement() RETURNS trigger LANGUAGE plpgsql
                AS 'BEGIN PERFORM count(*) FROM new_rows; RETURN NULL; END';
                CREATE TRIGGER requirement AFTER INSERT ON stored_files_requirement REFERENCING NEW TABLE AS new_rows
                FOR EACH STATEMENT EXECUTE FUNCTION pg_temp.stored_files_requirement();
                INSERT INTO stored_files_requirement VALUES ('x');
                RAISE EXCEPTION USING ERRCODE = 'SF000';
            EXCEPTION
                WHEN SQLSTATE 'SF000' THEN NULL;
                WHEN OTHERS THEN
                    RAISE EXCEPTION USING ERRCODE = 'feature_not_supported',
                        MESSAGE = format('Files cannot be kept with the rows of this server: it has no triggers with '
                            'transition tables (%s)', SQLERRM);
            END;
        END
        $body$
        """#
}
