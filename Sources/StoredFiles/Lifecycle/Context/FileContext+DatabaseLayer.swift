import Logging
import PostgresModels
import Storages

extension FileContext: SchemaComponentProvider {
    /// The journal is needed in every database whose models have files.
    var schemaComponents: [SchemaComponent] { [JournalSchema.component] }

    /// Marks new storages as this database's.
    ///
    /// What cannot be marked does not make a migration fail: a reaper looks again before it deletes anything.
    func didMigrate(_ database: Database) async {
        for id in storages.ids {
            guard let storage = storages[id] else { continue }
            do {
                let ownership = Ownership(id: id, storage: storage, database: database, context: self)
                // A migration is often run where the storage cannot be reached.
                try await withDeadline(.seconds(10), "The storage was not marked") { try await ownership.check() }
            } catch {
                database.logger.warning(
                    "A storage is not, or not yet, this database's to delete files from",
                    metadata: ["storage": "\(id)", "error": "\(error)"]
                )
            }
        }
    }
}

extension FileContext: DatabaseErrorExplainer {
    /// Adds to an error what to do about a file that two rows would name, and about one that is gone.
    func explain(_ error: DatabaseError) -> DatabaseError {
        var error = error
        if FileConstraint.isViolated(error) {
            error.message += """
                 Another row names this file already, and a file belongs to one row: give the second one its own with \
                copy(_:for:), or store the file again.
                """
        } else if error.code == .objectInUse {
            error.message += " Store the file again, and use its new name."
        }
        return error
    }
}
