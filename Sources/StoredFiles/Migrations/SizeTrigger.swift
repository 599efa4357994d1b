import PostgresModels
import Storages

/// The SQL that ties two size columns to the name beside them.
struct SizeTrigger {
    let table: String
    let column: String
    let sizes: SizeColumns

    /// The CHECK, the trigger function and the trigger, to be run after the columns exist.
    var statements: [SQL] {
        [check, function, trigger]
    }

    /// Both unknown, both 0, or both positive; and no size without a name.
    private var check: SQL {
        """
        ALTER TABLE \(identifier: table) ADD CONSTRAINT \(identifier: generatedName("size")) CHECK (\
        (\(identifier: sizes.width) IS NULL AND \(identifier: sizes.height) IS NULL) OR \
        (\(identifier: column) IS NOT NULL AND \
        \(identifier: sizes.width) IS NOT NULL AND \(identifier: sizes.height) IS NOT NULL AND \
        ((\(identifier: sizes.width) = 0 AND \(identifier: sizes.height) = 0) OR \
        (\(identifier: sizes.width) > 0 AND \(identifier: sizes.height) > 0))))
        """
    }

    /// Lives in the schema that the migrator has made for its own table.
    private var function: SQL {
        """
        CREATE OR REPLACE FUNCTION stored_files.\(identifier: generatedName("forget_size"))() RETURNS trigger \
        LANGUAGE plpgsql AS $stored_files$
        BEGIN
            NEW.\(identifier: sizes.width) := NULL;
            NEW.\(identifier: sizes.height) := NULL;
            RETURN NEW;
        END
        $stored_files$
        """
    }

    // A WHEN condition rather than `UPDATE OF`: the latter does not see a name that another BEFORE trigger has set.
    // Triggers fire in the order of their names (PostgreSQL manual, 39.1), so this one comes late.
    private var trigger: SQL {
        """
        CREATE TRIGGER \(identifier: generatedName("zz_forget_size")) BEFORE UPDATE ON \(identifier: table) \
        FOR EACH ROW WHEN (OLD.\(identifier: column) IS DISTINCT FROM NEW.\(identifier: column) \
        AND OLD.\(identifier: sizes.width) IS NOT DISTINCT FROM NEW.\(identifier: sizes.width) \
        AND OLD.\(identifier: sizes.height) IS NOT DISTINCT FROM NEW.\(identifier: sizes.height)) \
        EXECUTE FUNCTION stored_files.\(identifier: generatedName("forget_size"))()
        """
    }

    /// A name for an object of the field, the same in every process.
    private func generatedName(_ purpose: String) -> String {
        GeneratedName.make(purpose, table, column)
    }
}
