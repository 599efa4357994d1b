import Foundation
import NIOConcurrencyHelpers
import StoredFiles

/// The work that applications do, through the models.
extension Writer {
    // MARK: Rows that come

    func insert(_ dice: Dice) async throws {
        try await dice.pick(holders).add(dice, in: database)
        Channel.count(.insert)
    }

    func insertInTransaction(_ dice: Dice) async throws {
        try await transaction(dice) { transaction in
            for _ in 0..<dice.int(1...3) { try await dice.pick(holders).add(dice, in: transaction) }
            try await linger(dice)
        }
        Channel.count(.insertInTransaction)
    }

    /// Stored before the transaction that names it begins.
    func insertAfterStore(_ dice: Dice) async throws {
        try await dice.pick(holders).insertStored(self, dice)
        Channel.count(.insertAfterStore)
    }

    /// The first file is never named.
    func storeTwice(_ dice: Dice) async throws {
        try await transaction(dice) { transaction in
            let contents = ChaosContents.random(dice)
            _ = try await transaction.store(contents.body, named: contents.fileName, for: Note.field)
            try await Note.add(dice, in: transaction)
        }
        Channel.count(.storeTwice)
    }

    /// A file that waits for longer than it may is not named any more.
    func dawdle(_ dice: Dice) async throws {
        let contents = ChaosContents.random(dice)
        var model = Note(dice)
        model.file = try await database.store(contents.body, named: contents.fileName, for: Note.field)
        try await Task.sleep(for: Scene.claimPeriod + .milliseconds(dice.int(-100...300)))
        Channel.count(.dawdle)
        try await database.insert(&model)
    }

    /// The task is cancelled wherever it is.
    func cancel(_ dice: Dice) async throws {
        let task = Task { try await insertInTransaction(dice) }
        try await Task.sleep(for: .microseconds(dice.int(0...30_000)))
        task.cancel()
        try await task.value
    }

    // MARK: Rows that change

    func replace(_ dice: Dice) async throws {
        try await dice.pick(holders).replace(self, dice)
        Channel.count(.replace)
    }

    func clear(_ dice: Dice) async throws {
        try await dice.pick(holders).clear(self)
        Channel.count(.clear)
    }

    func deleteOne(_ dice: Dice) async throws {
        try await dice.pick(holders).deleteOne(self, dice)
        Channel.count(.deleteOne)
    }

    func keep(_ name: String) {
        kept.withLockedValue { kept in
            kept.append((name, Date()))
            if kept.count > 100 { kept.removeFirst(50) }
        }
    }

    func copy(_ dice: Dice) async throws {
        guard let file = try await dice.pick(holders).anyFile(in: database) else { throw Skipped() }
        try await dice.pick(holders).insertCopy(of: file, self, dice)
        Channel.count(.copy)
    }

    // MARK: Transactions that do not happen

    func rollBack(_ dice: Dice) async throws {
        do {
            try await transaction(dice) { transaction in
                for _ in 0..<dice.int(1...2) { try await dice.pick(holders).add(dice, in: transaction) }
                if dice.chance(2) { _ = try await drop(dice.pick(Place.all), 3, in: transaction) }
                try await linger(dice)
                throw RolledBack()
            }
        } catch is RolledBack {
            Channel.count(.rollback)
        }
    }

    func savepoint(_ dice: Dice) async throws {
        try await transaction(dice) { outer in
            try await dice.pick(holders).add(dice, in: outer)
            for _ in 0..<2 {
                do {
                    try await outer.transaction { inner in
                        try await dice.pick(holders).add(dice, in: inner)
                        _ = try await drop(dice.pick(Place.all), 2, in: inner)
                        try await inner.transaction { try await dice.pick(holders).add(dice, in: $0) }
                        if dice.chance(2) { throw RolledBack() }
                    }
                } catch is RolledBack {
                    Channel.count(.savepoint)
                }
            }
        }
    }

    // MARK: Pictures

    func picture(_ dice: Dice) async throws {
        let contents = ChaosContents.randomPicture(dice)
        try await transaction(dice) { transaction in
            var pair = dice.chance(2) ? try await Pair.any(in: transaction) : Pair(dice)
            pair.cover = try await transaction.store(contents.body, named: contents.fileName, for: \Pair.$cover)
            if pair.id == nil {
                try await transaction.insert(&pair)
            } else {
                try await transaction.update(pair)
            }
        }
        Channel.count(.picture)
    }

    /// Another program moves the name, and forgets the size.
    func movePicture(_ dice: Dice) async throws {
        try await transaction(dice) { transaction in
            let rows = try await transaction.query(
                "SELECT id, cover FROM pairs WHERE cover IS NOT NULL ORDER BY random() LIMIT 1 FOR UPDATE"
            )
            guard let row = rows.first else { throw Skipped() }
            let (id, name) = (try row.decode(Int64.self, at: 0), try row.decode(String.self, at: 1))
            try await transaction.execute("UPDATE pairs SET cover = NULL WHERE id = \(id)")
            try await transaction.execute(
                "UPDATE pairs SET cover = \(name) WHERE id = (SELECT id FROM pairs ORDER BY random() LIMIT 1)"
            )
        }
        Channel.count(.movePicture)
    }

    // MARK: Reading

    /// A row's file opens, whatever else happens: unless the row has gone meanwhile.
    func read(_ dice: Dice) async throws {
        if dice.chance(4) {
            guard let cover = try await database.first(Pair.self, "WHERE cover IS NOT NULL ORDER BY random()")?.cover
            else { throw Skipped() }
            _ = try await cover.dimensions()
        } else {
            try await dice.pick(holders).read(self)
        }
        Channel.count(.read)
    }
}
