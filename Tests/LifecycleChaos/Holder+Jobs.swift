import Foundation
import StoredFiles

/// The jobs that can be done with a row of any of the tables.
extension Holder {
    static func add(_ dice: Dice, in session: some DatabaseSession) async throws {
        let contents = ChaosContents.random(dice)
        var model = Self(dice)
        model.file = try await session.store(contents.body, named: contents.fileName, for: field)
        try await session.insert(&model)
    }

    static func any(in session: some DatabaseSession) async throws -> Self {
        guard let model = try await session.first(Self.self, "ORDER BY random()") else { throw Skipped() }
        return model
    }

    static func anyFile(in session: some DatabaseSession) async throws -> StorageFile? {
        try await any(in: session).file
    }

    static func insertStored(_ writer: Writer, _ dice: Dice) async throws {
        let contents = ChaosContents.random(dice)
        var model = Self(dice)
        model.file = try await writer.database.store(contents.body, named: contents.fileName, for: field)
        try await writer.transaction(dice) { transaction in
            _ = try await transaction.query("SELECT 1")
            try await writer.linger(dice)
            try await transaction.insert(&model)
            try await writer.linger(dice)
        }
    }

    static func replace(_ writer: Writer, _ dice: Dice) async throws {
        let contents = ChaosContents.random(dice)
        try await writer.transaction(dice) { transaction in
            var model = try await any(in: transaction)
            model.file = try await transaction.store(contents.body, named: contents.fileName, for: field)
            try await transaction.update(model)
            try await writer.linger(dice)
        }
    }

    static func clear(_ writer: Writer) async throws {
        var model = try await any(in: writer.database)
        if let name = model.file?.name.string { writer.keep(name) }
        model.file = nil
        try await writer.database.update(model)
    }

    static func deleteOne(_ writer: Writer, _ dice: Dice) async throws {
        try await writer.transaction(dice) { transaction in
            let model = try await any(in: transaction)
            try await transaction.delete(model)
            if let name = model.file?.name.string { writer.keep(name) }
        }
    }

    static func insertCopy(of file: StorageFile, _ writer: Writer, _ dice: Dice) async throws {
        try await writer.transaction(dice) { transaction in
            var model = Self(dice)
            model.file = try await transaction.copy(file, for: field)
            try await transaction.insert(&model)
        }
    }

    /// Opens the file of a row, which must be there unless the row has gone meanwhile.
    static func read(_ writer: Writer) async throws {
        let model = try await any(in: writer.database)
        guard let file = model.file, let id = model.id else { throw Skipped() }
        var looks = 0
        while true {
            do {
                let bytes = try await file.open().collect(upTo: 1 << 20)
                guard let contents = ChaosContents(name: file.name.string), contents.bytes == bytes else {
                    return Channel.violation("row \(id) of \(table) names \(file.name), which has other bytes")
                }
                return
            } catch let error as StorageError where error.code == .notFound {
                let row = try await writer.database.query(
                    """
                    SELECT FROM \(identifier: table) WHERE id = \(id) \
                    AND \(identifier: column) = \(file.name.string)
                    """
                )
                if row.isEmpty { return }
                // The row was there all the time: it names a file that is gone.
                looks += 1
                if looks > 2 {
                    return Channel.violation("dangling: row \(id) of \(table) names \(file.name), which is gone")
                }
            }
        }
    }
}
