import Foundation
import StoredFiles

/// The work that other programs do, in statements that know nothing of files.
extension Writer {
    /// Deletes some rows, and remembers their names.
    func drop(_ place: Place, _ count: Int, in session: some DatabaseSession) async throws -> Int {
        let rows = try await session.query(
            """
            DELETE FROM \(identifier: place.table) WHERE id IN \
            (SELECT id FROM \(identifier: place.table) ORDER BY random() LIMIT \(Int64(count))) \
            RETURNING \(identifier: place.column)
            """
        )
        for row in rows { if let name = try row.decode(String?.self, at: 0) { keep(name) } }
        return rows.count
    }

    func deleteMany(_ dice: Dice) async throws {
        _ = try await transaction(dice) { try await drop(place(dice), dice.int(2...30), in: $0) }
        Channel.count(.deleteMany)
    }

    func cascade(_ dice: Dice) async throws {
        let contents = ChaosContents.random(dice)
        var folder = Folder(id: nil, label: "\(dice.next())")
        try await database.insert(&folder)
        for _ in 0..<dice.int(1...3) {
            var letter = Letter(dice)
            letter.folder = folder.id
            letter.file = try await database.store(contents.body, named: contents.fileName, for: \Letter.$file)
            do {
                try await database.insert(&letter)
            } catch let error as DatabaseError where error.code == .foreignKeyViolation {
                // Somebody else has deleted the folder.
            }
        }
        try await linger(dice)
        _ = try await transaction(dice) { transaction in
            try await transaction.execute(
                "DELETE FROM folders WHERE id IN (SELECT id FROM folders ORDER BY random() LIMIT 2)"
            )
        }
        Channel.count(.cascade)
    }

    // MARK: Moves

    func cteMove(_ dice: Dice) async throws {
        let (from, to) = (place(dice), place(dice))
        let isFirst = dice.chance(2)
        _ = try await transaction(dice) { transaction in
            // A statement that a transaction begins with has no snapshot before it.
            if !isFirst { _ = try await transaction.query("SELECT 1") }
            return try await transaction.execute(
                """
                WITH gone AS (DELETE FROM \(identifier: from.table) WHERE id IN (\
                SELECT id FROM \(identifier: from.table) WHERE \(identifier: from.column) IS NOT NULL \
                ORDER BY random() LIMIT 2) RETURNING \(identifier: from.column) AS name) \
                INSERT INTO \(identifier: to.table) (\(identifier: to.column)) SELECT name FROM gone
                """
            )
        }
        Channel.count(.cteMove)
    }

    private func anyName(_ place: Place, in session: some DatabaseSession) async throws -> (id: Int64, name: String) {
        let rows = try await session.query(
            """
            SELECT id, \(identifier: place.column) FROM \(identifier: place.table) \
            WHERE \(identifier: place.column) IS NOT NULL ORDER BY random() LIMIT 1
            """
        )
        guard let row = rows.first else { throw Skipped() }
        return (try row.decode(Int64.self, at: 0), try row.decode(String.self, at: 1))
    }

    func insertThenDelete(_ dice: Dice) async throws {
        let (from, to) = (place(dice), place(dice))
        guard from != to else { throw Skipped() }
        try await transaction(dice) { transaction in
            let (id, _) = try await anyName(from, in: transaction)
            try await transaction.execute(
                """
                INSERT INTO \(identifier: to.table) (\(identifier: to.column)) \
                SELECT \(identifier: from.column) FROM \(identifier: from.table) WHERE id = \(id)
                """
            )
            try await linger(dice)
            try await transaction.execute("DELETE FROM \(identifier: from.table) WHERE id = \(id)")
        }
        Channel.count(.insertThenDelete)
    }

    func deleteThenInsert(_ dice: Dice) async throws {
        let (from, to) = (place(dice), place(dice))
        try await transaction(dice) { transaction in
            let (id, _) = try await anyName(from, in: transaction)
            let gone = try await transaction.query(
                "DELETE FROM \(identifier: from.table) WHERE id = \(id) RETURNING \(identifier: from.column)"
            )
            guard let name = try gone.first?.decode(String?.self, at: 0) else { throw Skipped() }
            try await linger(dice)
            try await transaction.execute(
                "INSERT INTO \(identifier: to.table) (\(identifier: to.column)) VALUES (\(name))"
            )
        }
        Channel.count(.deleteThenInsert)
    }

    /// The transaction that names a file in a second place is overtaken by the one that deletes it from the first.
    func overtake(_ dice: Dice) async throws {
        let glance = judge.glance()
        let (from, to) = (place(dice), place(dice))
        guard from.table != to.table else { throw Skipped() }
        let (id, name) = try await anyName(from, in: database)
        let deletion = Task {
            try await Task.sleep(for: dice.milliseconds(5...60))
            return try await database.execute(
                """
                DELETE FROM \(identifier: from.table) WHERE id = \(id) AND \(identifier: from.column) = \(name)
                """
            )
        }
        do {
            // Mostly at READ COMMITTED, where a claim that found nothing leaves no trace in the journal.
            let level = dice.chance(3) ? dice.pick(Self.levels) : .readCommitted
            try await database.transaction(isolation: level) { transaction in
                try await transaction.execute(
                    """
                    INSERT INTO \(identifier: to.table) (\(identifier: to.column)) \
                    SELECT \(identifier: from.column) FROM \(identifier: from.table) WHERE id = \(id) \
                    AND \(identifier: from.column) = \(name)
                    """
                )
                try await Task.sleep(for: dice.milliseconds(200...1200))
            }
            Channel.count(.overtake)
        } catch {
            report(error, "overtaken naming", glance)
        }
        _ = try await deletion.value
    }

    // MARK: UPDATE and MERGE

    func swapColumns(_ dice: Dice) async throws {
        _ = try await transaction(dice) { transaction in
            try await transaction.execute(
                """
                UPDATE pairs SET front = back, back = front \
                WHERE id IN (SELECT id FROM pairs ORDER BY random() LIMIT \(Int64(dice.int(1...4))))
                """
            )
        }
        Channel.count(.swapColumns)
    }

    func swapRows(_ dice: Dice) async throws {
        _ = try await transaction(dice) { transaction in
            try await transaction.execute(
                """
                WITH pair AS (SELECT array_agg(id) AS ids FROM (SELECT id FROM parts ORDER BY random() LIMIT 2) AS p) \
                UPDATE parts AS p SET file = o.file FROM parts AS o, pair \
                WHERE p.id = ANY (pair.ids) AND o.id = ANY (pair.ids) AND p.id <> o.id
                """
            )
        }
        Channel.count(.swapRows)
    }

    func movePartition(_ dice: Dice) async throws {
        let isWide = judge.glance() % 2 == 1
        _ = try await transaction(dice) { transaction in
            try await transaction.execute(
                """
                UPDATE parts SET bucket = \(Int32(dice.int(0...(isWide ? 3 : 2)))) \
                WHERE id IN (SELECT id FROM parts ORDER BY random() LIMIT \(Int64(dice.int(1...8))))
                """
            )
        }
        Channel.count(.movePartition)
    }

    /// Merges: rows that are in neither table's file come, those that are in both go.
    func merge(_ dice: Dice) async throws {
        try await transaction(dice) { transaction in
            try await transaction.execute(
                """
                MERGE INTO parts AS t USING (SELECT file FROM notes WHERE file IS NOT NULL ORDER BY random() LIMIT 3) AS s \
                ON t.file = s.file WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT (file) VALUES (s.file)
                """
            )
            try await linger(dice)
            try await transaction.execute("DELETE FROM notes AS n USING parts AS p WHERE n.file = p.file")
        }
        Channel.count(.merge)
    }

    func mergeAway(_ dice: Dice) async throws {
        let place = dice.pick([Place(table: "letters", column: "file"), Place(table: "parts", column: "file")])
        _ = try await transaction(dice) { transaction in
            try await transaction.execute(
                """
                MERGE INTO \(identifier: place.table) AS t \
                USING (SELECT id FROM \(identifier: place.table) ORDER BY random() LIMIT 3) AS s ON t.id = s.id \
                WHEN MATCHED AND s.id % 2 = 0 THEN UPDATE SET file = NULL WHEN MATCHED THEN DELETE
                """
            )
        }
        Channel.count(.mergeAway)
    }

    func truncate(_ dice: Dice) async throws {
        let level = dice.pick(Self.levels)
        let table = dice.pick(["letters", "parts", "parts_0", "hither"])
        do {
            try await database.transaction(isolation: level) { transaction in
                if dice.chance(2) { try await insertTruncated(dice, table, in: transaction) }
                try await transaction.execute("TRUNCATE \(identifier: table)")
            }
            guard level == .readCommitted else {
                return Channel.violation("TRUNCATE of \(table) was accepted at \(level)")
            }
            Channel.count(.truncate)
        } catch let error as DatabaseError where error.sqlState == "0A000" && level != .readCommitted {
            Channel.count(.truncateRefused)
        }
    }

    /// A row of the transaction's own goes with the others.
    private func insertTruncated(_ dice: Dice, _ table: String, in session: some DatabaseSession) async throws {
        let from = Place(table: "notes", column: "file")
        let (id, _) = try await anyName(from, in: session)
        try await session.execute(
            "INSERT INTO \(identifier: table == "parts_0" ? "letters" : table) (file) SELECT file FROM notes WHERE id = \(id)"
        )
        try await session.execute("DELETE FROM notes WHERE id = \(id)")
    }

    // MARK: ON CONFLICT

    private func stored(_ dice: Dice) async throws -> String {
        let contents = ChaosContents.random(dice)
        return try await database.store(contents.body, named: contents.fileName, for: \Note.$file).name.string
    }

    func conflictUpdate(_ dice: Dice) async throws {
        let name = try await stored(dice)
        _ = try await transaction(dice) { transaction in
            try await transaction.execute(
                """
                INSERT INTO notes (id, file) OVERRIDING SYSTEM VALUE \
                SELECT id, \(name) FROM notes ORDER BY random() LIMIT 1 \
                ON CONFLICT (id) DO UPDATE SET file = EXCLUDED.file
                """
            )
        }
        Channel.count(.conflictUpdate)
    }

    /// The file that is not taken waits for nobody.
    func conflictNothing(_ dice: Dice) async throws {
        let name = try await stored(dice)
        _ = try await transaction(dice) { transaction in
            try await transaction.execute(
                """
                INSERT INTO notes (id, file) OVERRIDING SYSTEM VALUE \
                SELECT id, \(name) FROM notes ORDER BY random() LIMIT 1 ON CONFLICT DO NOTHING
                """
            )
        }
        Channel.count(.conflictNothing)
    }
}
