import Logging
import PostgresModels
import Storages

/// Removes a file whose upload failed or whose transaction was rolled back.
///
/// What it cannot do now the reaper does later: it never throws, and it deletes nothing that a row may name.
struct Compensation: Sendable {
    let file: StorageFile
    let storage: StorageID
    let database: Database
    /// A Boolean value that indicates whether the journal knows the file; without it nobody else will ever delete it.
    let isJournaled: Bool

    /// The time that other processes leave the deletion to this one; that two do it harms nobody.
    let lease: Duration

    /// Runs in a task of its own, which the cancellation of the caller does not reach, and waits for it.
    func run() async {
        await Task.detached { await perform() }.value
    }

    /// Gives the name back without touching what is stored under it.
    func release() async {
        guard isJournaled else { return }
        await Task.detached {
            do {
                let key = JournalKey(storage: storage, name: file.name)
                try await Journal(database: database, isIndependent: true).release(key)
            } catch {
                // The reservation stands for a file that somebody else has stored: it must not be taken for ours.
                database.logger.error(
                    "A reservation could not be given back; delete it from stored_files.reservations",
                    metadata: ["name": "\(file.name)", "storage": "\(storage)", "error": "\(error)"]
                )
            }
        }.value
    }

    private func perform() async {
        do {
            guard isJournaled else { return try await file.delete() }
            let journal = Journal(database: database, isIndependent: true)
            guard try await journal.giveUp(JournalKey(storage: storage, name: file.name), lease: lease) else {
                return
            }
            do {
                try await file.delete()
                try await file.storage.abandonUploads(of: [file.name])
            } catch {
                let failure = Journal.Failure(name: file.name, message: "\(error)", delay: .zero)
                return try await journal.postpone([failure], in: storage)
            }
            try await journal.keepTombstones(of: [file.name], in: storage)
        } catch {
            database.logger.log(
                level: isJournaled ? .notice : .error,
                isJournaled
                    ? "A file that is not needed is left to the reaper" : "A file that is not needed was left behind",
                metadata: ["name": "\(file.name)", "storage": "\(storage)", "error": "\(error)"]
            )
        }
    }
}
