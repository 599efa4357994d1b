/// The functions that know where the rows are that name files, whatever was renamed, restored or detached meanwhile.
enum CatalogueSQL {
    /// The functions, in an order in which each is there when another is made that needs it.
    static let functions = [
        origin, relations, isText, carriers, catalogue,
        checkCatalogue, named, noticePartitions,
    ]

    /// The cluster that transaction ids belong to: they mean something only there (PostgreSQL manual, 9.27.7).
    private static let origin = #"""
        CREATE OR REPLACE FUNCTION stored_files.origin() RETURNS text
        LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $body$
            SELECT system_identifier::text FROM pg_control_system()
        $body$
        """#

    /// A table, its partitions and the tables that inherit from it.
    private static let relations = #"""
        CREATE OR REPLACE FUNCTION stored_files.relations(root regclass) RETURNS SETOF regclass
        LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $body$
            WITH RECURSIVE tree AS (
                SELECT root::oid AS relation
                UNION SELECT i.inhrelid FROM pg_inherits AS i JOIN tree ON i.inhparent = tree.relation
            )
            SELECT relation::regclass FROM tree
        $body$
        """#

    /// The function that returns whether a relation has a column of a type of text, domains over one included.
    private static let isText = #"""
        CREATE OR REPLACE FUNCTION stored_files.is_text(relation oid, column_name name) RETURNS boolean
        LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $body$
            SELECT EXISTS (
                SELECT FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid
                WHERE a.attrelid = relation AND a.attname = column_name AND a.attnum > 0 AND NOT a.attisdropped
                AND t.typcategory = 'S'
            )
        $body$
        """#

    /// The relations that carry the triggers of a field, without the copies on partitions, and the column they watch.
    ///
    /// The server keeps what a trigger's condition depends on through every rename, dump and restore, which no number
    /// or name in a table of ours would survive.
    private static let carriers = #"""
        CREATE OR REPLACE FUNCTION stored_files.carriers()
        RETURNS TABLE (field bigint, relation oid, column_name name, column_number smallint)
        LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $body$
            SELECT DISTINCT ON (c.field, c.relation) c.field, c.relation, a.attname, a.attnum FROM (
                SELECT substring(p.proname FROM '[0-9]+$')::bigint AS field, t.tgrelid AS relation, t.oid AS trigger,
                    t.tgname = 'stored_file_' || substring(p.proname FROM '[0-9]+$') || '_update' AS is_update
                FROM pg_proc AS p JOIN pg_trigger AS t ON t.tgfoid = p.oid
                WHERE p.pronamespace = 'stored_files'::regnamespace AND p.proname ~ '^track_([a-z]+_)?[0-9]+$'
                AND t.tgparentid = 0
            ) AS c
            LEFT JOIN pg_depend AS d ON c.is_update AND d.classid = 'pg_trigger'::regclass AND d.objid = c.trigger
                AND d.refclassid = 'pg_class'::regclass AND d.refobjid = c.relation AND d.refobjsubid > 0
            LEFT JOIN pg_attribute AS a ON a.attrelid = c.relation AND a.attnum = d.refobjsubid
            ORDER BY c.field, c.relation, a.attnum NULLS LAST
        $body$
        """#

    /// The function that returns the places of the rows that name files of a storage, as things stand now, and what is
    /// wrong with them.
    ///
    /// A row with a problem cannot be looked into: the field's table is gone, was made anew, or another has taken its
    /// place. Tables that were detached count on.
    private static let catalogue = #"""
        CREATE OR REPLACE FUNCTION stored_files.catalogue(storage text DEFAULT NULL)
        RETURNS TABLE (field bigint, field_storage text, relation oid, column_name name, column_number smallint,
            is_partition boolean, problem text, remedy text)
        LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $body$
        #variable_conflict use_column
        DECLARE
            known record;
            former text;
            part record;
            here text := stored_files.origin();
            tracking text;
        BEGIN
            FOR known IN
                WITH carriers AS MATERIALIZED (SELECT * FROM stored_files.carriers())
                SELECT f.*, c.relation AS carrier, c.column_name AS carried, c.column_number AS carried_number
                FROM stored_files.fields AS f
                LEFT JOIN LATERAL (
                    SELECT c.* FROM carriers AS c
                    WHERE c.field = f.id AND c.column_name IS NOT NULL
                    -- Tables that inherit carry triggers of their own; the field's table is the one above them.
                    AND NOT EXISTS (SELECT FROM pg_inherits AS i JOIN carriers AS o ON o.relation = i.inhparent
                        WHERE i.inhrelid = c.relation AND o.field = f.id)
                    ORDER BY c.relation <> f.relation LIMIT 1
                ) AS c ON true
                WHERE catalogue.storage IS NULL OR f.storage = catalogue.storage
                ORDER BY f.id
            LOOP
                field := known.id;
                field_storage := known.storage;
                is_partition := false;
                column_name := coalesce(known.carried, known.column_name);
                column_number := known.carried_number;
                problem := NULL;
                remedy := NULL;
                tracking := format('SELECT stored_files.track(%L, %L, %L, %L%s)',
                    format('%I.%I', known.schema_name, known.table_name), known.column_name, known.storage,
                        known.is_image,
                    CASE WHEN known.width_column IS NULL THEN ''
                        ELSE format(', %L, %L', known.width_column, known.height_column) END);
                IF known.ended_at IS NOT NULL THEN
                    -- Not tracked any more; its rows count as long as names from before are on their way.
                    relation := to_regclass(format('%I.%I', known.schema_name, known.table_name));
                    IF relation IS NOT NULL AND stored_files.is_text(relation, known.column_name) THEN
                        RETURN NEXT;
                    END IF;
                    CONTINUE;
                END IF;
                relation := known.carrier;
                IF relation IS NULL THEN
                    relation := to_regclass(format('%I.%I', known.schema_name, known.table_name));
                    IF relation IS NULL THEN
                        problem := format('the table %I.%I, whose column "%s" names its files, is gone without a migration of this '
                            'library', known.schema_name, known.table_name, known.column_name);
                        remedy := format('Restore the table and migrate. If it was dropped for good: SELECT '
                            'stored_files.forget_field(%s)', known.id);
                    ELSIF NOT stored_files.is_text(relation, known.column_name) THEN
                        problem := format('the column "%s" of %I.%I, which names its files, is gone, or is no text any more',
                            known.column_name, known.schema_name, known.table_name);
                        remedy := format('Restore the column and migrate. If it was dropped for good: SELECT '
                            'stored_files.forget_field(%s)', known.id);
                    ELSE
                        problem := format('the table %I.%I has lost the triggers of its column "%s": it was made anew, or they '
                            'were dropped', known.schema_name, known.table_name, known.column_name);
                        remedy := format('Migrate, which takes the table in again, or: %s', tracking);
                    END IF;
                ELSIF NOT stored_files.is_text(relation, column_name) THEN
                    problem := format('the column "%s" of %s, which names its files, is no text any more',
                        column_name, relation::regclass);
                    remedy := 'Give it a type of text again, or untrack it.';
                ELSE
                    -- A table that was renamed is followed. Another that has taken its place is not: its rows may name
                    -- the
                    -- same files, and nothing says which of the two is meant.
                    FOREACH former IN ARRAY known.former_tables || format('%I.%I', known.schema_name, known.table_name)
                    LOOP
                        IF to_regclass(former) IS NOT NULL AND to_regclass(former) <> relation
                            AND stored_files.is_text(to_regclass(former), column_name)
                            AND NOT EXISTS (SELECT FROM stored_files.relations(relation::regclass) AS r
                                WHERE r = to_regclass(former))
                            AND NOT EXISTS (SELECT FROM stored_files.carriers() AS o
                                WHERE o.relation = to_regclass(former) AND o.column_name = catalogue.column_name)
                        THEN
                            problem := format('the table that was %s is %s now, and the table %s in its place has no triggers',
                                former, relation::regclass, former);
                            remedy := format('Take the new table in: SELECT stored_files.track(%L, %L, %L, %L%s). If it has '
                                'nothing to do with the files: SELECT stored_files.forget_name(%s, %L)', former,
                                    column_name,
                                known.storage, known.is_image, CASE WHEN known.width_column IS NULL THEN ''
                                    ELSE format(', %L, %L', known.width_column, known.height_column) END, known.id,
                                        former);
                        END IF;
                    END LOOP;
                END IF;
                RETURN NEXT;
                problem := NULL;
                remedy := NULL;
                -- Tables that were below the field's table and are not any more: detached, with their rows.
                is_partition := true;
                FOR part IN
                    SELECT p.*, CASE WHEN p.origin = here AND EXISTS (SELECT FROM pg_class AS c
                        WHERE c.oid = p.relation)
                        THEN p.relation ELSE to_regclass(format('%I.%I', p.schema_name, p.table_name)) END AS place
                    FROM stored_files.partitions AS p WHERE p.field = known.id
                LOOP
                    IF part.place IS NOT NULL AND stored_files.is_text(part.place, column_name)
                        AND (known.carrier IS NULL OR NOT EXISTS (
                            SELECT FROM stored_files.relations(known.carrier::regclass) AS r WHERE r = part.place))
                    THEN
                        relation := part.place;
                        column_number := NULL;
                        RETURN NEXT;
                    END IF;
                END LOOP;
            END LOOP;
            -- Triggers whose field the catalogue does not know: it was lost, for example in a restore that went on
            -- after errors.
            FOR known IN
                SELECT DISTINCT c.field, c.relation FROM stored_files.carriers() AS c
                WHERE NOT EXISTS (SELECT FROM stored_files.fields AS f WHERE f.id = c.field)
            LOOP
                field := known.field;
                field_storage := NULL;
                relation := known.relation;
                column_name := NULL;
                is_partition := false;
                problem := format('the table %s has triggers of a field that stored_files.fields has lost',
                    known.relation::regclass);
                remedy := 'Restore stored_files.fields, or track the table''s columns again.';
                RETURN NEXT;
            END LOOP;
        END
        $body$
        """#

    /// Ends in 55000, with the remedy, when rows that name files of a storage cannot be looked into: who cannot look
    /// must not delete.
    private static let checkCatalogue = #"""
        CREATE OR REPLACE FUNCTION stored_files.check_catalogue(storage text) RETURNS void
        LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $body$
        #variable_conflict use_column
        DECLARE
            found record;
        BEGIN
            SELECT c.* INTO found FROM stored_files.catalogue(check_catalogue.storage) AS c WHERE c.problem IS NOT NULL
                LIMIT 1;
            IF found.problem IS NOT NULL THEN
                RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
                    MESSAGE = format('Nothing of the storage "%s" is deleted, because it cannot be known which files rows name: %s',
                        check_catalogue.storage, found.problem),
                    HINT = found.remedy;
            END IF;
        END
        $body$
        """#

    /// The function that returns those of some names that the rows of any field of a storage still have.
    ///
    /// `row_security = off`: a policy that hides rows must end in an error, not in the deletion of their files.
    private static let named = #"""
        CREATE OR REPLACE FUNCTION stored_files.named(storage text, names text[]) RETURNS SETOF text
        LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET row_security = off AS $body$
        #variable_conflict use_column
        DECLARE
            place record;
        BEGIN
            FOR place IN SELECT c.relation, c.column_name, c.problem FROM stored_files.catalogue(named.storage) AS c
                ORDER BY c.problem IS NULL
            LOOP
                IF place.problem IS NOT NULL THEN
                    PERFORM stored_files.check_catalogue(named.storage);
                END IF;
                RETURN QUERY EXECUTE format('SELECT t.%1$I::text FROM %2$s AS t WHERE t.%1$I = ANY ($1)',
                    place.column_name, place.relation::regclass) USING named.names;
            END LOOP;
        END
        $body$
        """#

    /// Remembers the tables below each field's table: detaching one takes its triggers off, and its rows still name
    /// files.
    private static let noticePartitions = #"""
        CREATE OR REPLACE FUNCTION stored_files.notice_partitions() RETURNS void
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
        #variable_conflict use_column
        BEGIN
            INSERT INTO stored_files.partitions (field, relation, schema_name, table_name, origin)
            SELECT k.field, r.relation, n.nspname, c.relname, stored_files.origin()
            FROM stored_files.carriers() AS k
            CROSS JOIN LATERAL (SELECT r::oid AS relation FROM stored_files.relations(k.relation::regclass) AS r) AS r
            JOIN pg_class AS c ON c.oid = r.relation JOIN pg_namespace AS n ON n.oid = c.relnamespace
            JOIN stored_files.fields AS f ON f.id = k.field
            WHERE r.relation <> k.relation AND NOT EXISTS (
                SELECT FROM stored_files.partitions AS p WHERE p.field = k.field AND p.relation = r.relation
                AND p.schema_name = n.nspname AND p.table_name = c.relname AND p.origin = stored_files.origin())
            ON CONFLICT (field, relation) DO UPDATE
            SET schema_name = EXCLUDED.schema_name, table_name = EXCLUDED.table_name, origin = EXCLUDED.origin;
        END
        $body$
        """#
}
