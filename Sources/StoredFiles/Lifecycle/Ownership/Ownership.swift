import Foundation
import PostgresModels
import Storages

/// The question whether this database decides about the files of a storage.
///
/// A copy of a database, restored beside the original, has all of its journal and its rows, and the storage is the
/// same. What it deletes the original still names. So the storage bears a mark that the database knows, and the
/// database knows which database it is itself; a copy has the mark, and finds that it is another.
struct Ownership: Sendable {
    let id: StorageID
    let storage: any Storage
    let database: Database
    let context: FileContext

    private struct Record {
        let mark: StorageMark
        let system: String
        let database: Int64
        let environment: String?
    }

    private struct Place: Equatable {
        let system: String
        let database: Int64
    }

    /// The time for which a finding is trusted: a program of the former database deletes on for that long after another
    /// has adopted the storage, and each check costs the reading of one small object.
    private static let validity = Duration.seconds(60)

    /// Fails unless this database may delete files of the storage; what was found out is believed for a minute.
    ///
    /// - Throws: ``StorageError`` with code `.notOwner`, and whatever reading the mark reports.
    func check() async throws {
        if context.isOwner(of: id) { return }
        try await establish()
        context.setOwner(of: id, until: .now + Self.validity)
    }

    /// Makes the database the owner of a storage that has no files and no mark; else looks whether it is.
    func establish() async throws {
        let here = try await place()
        let mark = try await StorageMark.read(from: storage)
        guard let record = try await record() else {
            guard mark == nil else {
                throw refusal(
                    "bears the mark of another database, and this one (\(here.system)/\(here.database)) knows none of "
                        + "it"
                )
            }
            guard try await isEmpty() else {
                throw refusal("has files, and neither it nor this database says that this database decides about them")
            }
            return try await claim(here)
        }
        guard Place(system: record.system, database: record.database) == here else {
            throw refusal(
                """
                belongs to the database \(record.system)/\(record.database), and this is \
                \(here.system)/\(here.database): a copy, or the original after a move
                """
            )
        }
        if let environment = context.lifecycle.environment {
            guard record.environment == nil || record.environment == environment else {
                throw refusal(
                    "belongs to the environment \"\(record.environment ?? "")\", and this is \"\(environment)\""
                )
            }
            if record.environment == nil { try await note(record.mark, here) }
        }
        if let mark {
            guard mark == record.mark else { throw refusal("bears the mark of another database") }
            return
        }
        try await put(record.mark)
    }

    /// Makes this database the owner: a former one refuses from now on.
    func adopt() async throws {
        let mark = StorageMark()
        // The storage first: until the database has noted it, both refuse.
        _ = try await mark.write(to: storage, replacing: true)
        try await note(mark, try await place())
        context.setOwner(of: id, until: .now + Self.validity)
    }

    private func claim(_ here: Place) async throws {
        let mark = StorageMark()
        _ = try await database.query(
            """
            INSERT INTO \(raw: JournalSchema.name).owners (storage, id, system, database, environment) \
            VALUES (\(id.rawValue), \(mark.id), \(here.system), \(here.database)::oid, \
            \(context.lifecycle.environment)) ON CONFLICT DO NOTHING
            """
        )
        // Another process may have been faster; the mark is its then.
        try await put(try await record()?.mark ?? mark)
    }

    private func put(_ mark: StorageMark) async throws {
        if try await mark.write(to: storage, replacing: false) { return }
        guard try await StorageMark.read(from: storage) == mark else {
            throw refusal("bears the mark of another database")
        }
    }

    private func note(_ mark: StorageMark, _ here: Place) async throws {
        _ = try await database.query(
            """
            INSERT INTO \(raw: JournalSchema.name).owners AS o (storage, id, system, database, environment) \
            VALUES (\(id.rawValue), \(mark.id), \(here.system), \(here.database)::oid, \
            \(context.lifecycle.environment)) ON CONFLICT (storage) DO UPDATE SET id = EXCLUDED.id, system = \
            EXCLUDED.system, database = EXCLUDED.database, environment = EXCLUDED.environment, since = \
            clock_timestamp()
            """
        )
    }

    private func isEmpty() async throws -> Bool {
        // What no file can have as its key is somebody's all the same.
        let foreignKeys = ForeignKeyCount()
        let isWithoutFiles = try await FileListing.reportingForeignKeys(to: foreignKeys.note) {
            var files = storage.list(prefix: "").makeAsyncIterator()
            return try await files.next() == nil
        }
        return isWithoutFiles && foreignKeys.value.count == 0
    }

    private func record() async throws -> Record? {
        let rows = try await database.query(
            """
            SELECT id, system, database::bigint, environment FROM \(raw: JournalSchema.name).owners \
            WHERE storage = \(id.rawValue)
            """
        )
        return try rows.first.map { row in
            Record(
                mark: StorageMark(id: try row.decode(String.self, at: 0)),
                system: try row.decode(String.self, at: 1),
                database: try row.decode(Int64.self, at: 2),
                environment: try row.decode(String?.self, at: 3)
            )
        }
    }

    private func place() async throws -> Place {
        let rows = try await database.query(
            """
            SELECT \(raw: JournalSchema.name).origin(), oid::bigint FROM pg_catalog.pg_database \
            WHERE datname = current_database()
            """
        )
        guard let row = rows.first else {
            throw StorageError(.notOwner, "The database cannot be told from others: it is not in pg_database.")
        }
        return Place(system: try row.decode(String.self, at: 0), database: try row.decode(Int64.self, at: 1))
    }

    private func refusal(_ reason: String) -> StorageError {
        StorageError(
            .notOwner,
            """
            Nothing of the storage "\(id)" is deleted: it \(reason). If this database decides about its files from \
            now on, call database.adopt("\(id)") once; if it only reads them, run no reaper here.
            """,
            storage: storage.label
        )
    }
}
