import StoredFiles

/// The statements that a process of the first version sends to the server, word for word: it goes on during a
/// deployment, while this version has migrated the database and works on it, too.
struct FormerStatements: Sendable {
    let database: Database

    /// Notes that a file is about to be uploaded.
    @discardableResult
    func reserve(_ name: String, claimPeriod: Double = 60) async throws -> Bool {
        try await database.query(
            """
            INSERT INTO stored_files.journal (storage, name, state, lease_until, is_image) \
            SELECT f.storage, \(name), 'uploading', \
            clock_timestamp() + make_interval(secs => \(claimPeriod)), \(false) \
            FROM stored_files.fields AS f WHERE f.relation = to_regclass(\("\"albums\"")) \
            AND f.column_name = \("paper") AND f.storage = \("papers")
            """
        ).affectedRows > 0
    }

    /// Whose triggers a column has, when its reservation wrote nothing.
    func storage(of column: String) async throws -> String? {
        try await database.query(
            """
            SELECT storage FROM stored_files.fields \
            WHERE relation = to_regclass(\("\"albums\"")) AND column_name = \(column)
            """
        ).first?.decode(String.self, at: 0)
    }

    func extend(_ names: [String], claimPeriod: Double = 60) async throws {
        try await database.execute(
            """
            UPDATE stored_files.journal AS j \
            SET lease_until = clock_timestamp() + make_interval(secs => \(claimPeriod)) \
            FROM unnest(\(names.map { _ in "papers" }), \(names)) AS k (storage, name) \
            WHERE j.storage = k.storage AND j.name = k.name AND j.state = 'uploading'
            """
        )
    }

    /// Takes a file that no row has claimed for deletion by the process that uploaded it.
    func giveUp(_ name: String) async throws -> Bool {
        try await database.query(
            """
            UPDATE stored_files.journal AS j SET state = 'deleting', since = clock_timestamp(), \
            transaction_id = NULL, attempts = 1, \
            lease_until = clock_timestamp() + make_interval(secs => \(60.0)) \
            WHERE (j.storage, j.name) IN (SELECT u.storage, u.name FROM stored_files.journal AS u \
            WHERE u.storage = \("papers") AND u.name = \(name) AND u.state = 'uploading' \
            FOR UPDATE SKIP LOCKED)
            """
        ).affectedRows > 0
    }

    func release(_ name: String) async throws {
        try await database.execute(
            """
            DELETE FROM stored_files.journal WHERE storage = \("papers") AND name = \(name) \
            AND state = 'uploading'
            """
        )
    }

    /// Marks what is due.
    @discardableResult
    func mark(retention: Double = 0) async throws -> Int {
        try await database.query(
            """
            WITH condemned AS (
                SELECT storage, name FROM stored_files.journal
                WHERE storage = \("papers") AND state = 'condemned'
                AND since <= clock_timestamp() - make_interval(secs => \(retention))
                ORDER BY since LIMIT \(500) FOR UPDATE SKIP LOCKED
            ), lapsed AS (
                SELECT storage, name FROM stored_files.journal
                WHERE storage = \("papers") AND state = 'uploading' AND lease_until < clock_timestamp()
                LIMIT \(500) FOR UPDATE SKIP LOCKED
            ), due AS (SELECT * FROM condemned UNION ALL SELECT * FROM lapsed)
            UPDATE stored_files.journal AS j SET state = 'deleting', lease_until = clock_timestamp(), attempts = 0,
            transaction_id = CASE j.state WHEN 'condemned' THEN pg_current_xact_id() END
            FROM due WHERE j.storage = due.storage AND j.name = due.name
            """
        ).affectedRows
    }

    /// Takes what is marked: the names to delete, and those that a row has after all.
    func take(only name: String? = nil) async throws -> (taken: [String], revived: [String]) {
        let rows = try await database.query(
            """
            SELECT name, is_image, attempts, is_live FROM stored_files.take(\("papers"), \
            \(Int32(500)), make_interval(secs => \(300.0)), \
            \(name))
            """
        )
        let names = try rows.map { (try $0.decode(String.self, at: 0), try $0.decode(Bool.self, at: 3)) }
        return (names.filter { !$0.1 }.map(\.0), names.filter(\.1).map(\.0))
    }

    func bury(_ names: [String]) async throws {
        try await database.execute(
            """
            UPDATE stored_files.journal SET state = 'deleted', since = clock_timestamp(), lease_until = NULL, \
            last_error = NULL, transaction_id = pg_current_xact_id() \
            WHERE storage = \("papers") AND name = ANY (\(names)) AND state = 'deleting'
            """
        )
    }

    func postpone(_ names: [String]) async throws {
        try await database.execute(
            """
            UPDATE stored_files.journal AS j SET last_error = f.error, \
            lease_until = clock_timestamp() + make_interval(secs => f.delay) \
            FROM unnest(\(names), \(names.map { _ in "down" }), \
            \(names.map { _ in 0.0 })) AS f (name, error, delay) \
            WHERE j.storage = \("papers") AND j.name = f.name AND j.state = 'deleting'
            """
        )
    }

    /// Takes tombstones, and forgets them after the second deletion.
    func takeTombstones() async throws -> [String] {
        try await database.query(
            """
            SELECT name, is_image FROM stored_files.take_tombstones(\("papers"), \
            \(Int32(500)), make_interval(secs => \(0.0)), \
            make_interval(secs => \(300.0)))
            """
        ).map { try $0.decode(String.self, at: 0) }
    }

    func forget(_ names: [String]) async throws {
        try await database.execute(
            """
            DELETE FROM stored_files.journal WHERE storage = \("papers") \
            AND name = ANY (\(names)) AND state = 'deleted'
            """
        )
    }

    /// Marks one name, whatever the retention.
    func markForPurge(_ name: String) async throws -> Bool {
        try await database.query(
            """
            INSERT INTO stored_files.journal AS j (storage, name, state, lease_until, transaction_id) \
            SELECT \("papers"), \(name), 'deleting', clock_timestamp(), pg_current_xact_id() \
            WHERE NOT EXISTS (SELECT FROM stored_files.named(\("papers"), ARRAY[\(name)])) \
            ON CONFLICT (storage, name) DO UPDATE SET state = 'deleting', lease_until = clock_timestamp(), \
            attempts = 0, transaction_id = pg_current_xact_id() \
            WHERE j.state = 'condemned' OR j.state = 'uploading' AND j.lease_until < clock_timestamp() \
            OR j.state = 'deleting' AND j.lease_until <= clock_timestamp()
            """
        ).affectedRows > 0
    }
}
