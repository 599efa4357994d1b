import Foundation
import Logging
import Metrics
import Platform
import PostgresModels
import Storages

/// A pass over the part of the journal that belongs to one storage.
struct ReapPass: Sendable {
    let database: Database
    let context: FileContext
    let id: StorageID
    let storage: any Storage
    let configuration: ReaperConfiguration
    /// Settings of the server for its transactions.
    var settings: [String: String] = [:]

    var journal: Journal { Journal(database: database, isIndependent: false, settings: settings) }

    struct Taken: Sendable {
        let name: StorageName
        let isImage: Bool
        let attempts: Int
    }

    /// Runs until nothing is due or `shouldStop` returns `true`.
    func run(shouldStop: @escaping @Sendable () -> Bool = { false }) async throws -> ReapReport {
        try await checkOwner()
        _ = try await database.query("SELECT \(raw: JournalSchema.name).notice_partitions()")
        try await lapse(shouldStop)
        try await journal.drain(id, shouldStop: shouldStop)
        var report = ReapReport()
        let workers = 0..<configuration.concurrency
        for part in try await workers.mapConcurrently(limit: workers.count, { _ in try await work(shouldStop) }) {
            report.add(part)
        }
        if !shouldStop() { report.add(try await forget(shouldStop)) }
        report.isWaiting = try await isWaiting()
        return report
    }

    /// Checks the owner again before each batch: there may be work for hours, and another database may have adopted the
    /// storage meanwhile.
    private func checkOwner() async throws {
        try await Ownership(id: id, storage: storage, database: database, context: context).check()
    }

    private func work(_ shouldStop: @Sendable () -> Bool) async throws -> ReapReport {
        var report = ReapReport()
        var newest: Date?
        while !shouldStop() {
            try await checkOwner()
            let marked = try await mark(newerThan: newest)
            newest = marked.newest ?? newest
            report.revived += marked.revived
            if marked.count > 0 { await context.reach(.marked) }
            let (taken, revived) = try await take(only: nil)
            report.revived += revived
            guard !taken.isEmpty else {
                // What was marked just now may have to wait for others; what was not is another worker's.
                guard revived + marked.revived > 0 else { break }
                continue
            }
            await context.reach(.taken)
            let failures = try await delete(taken)
            report.deleted += taken.count - failures.count
            report.add(failures)
            // A storage that deletes nothing at all is down: its other files can wait, too.
            if failures.count == taken.count { break }
        }
        return report
    }

    // MARK: The steps

    /// Takes reservations that have run out for deletion, a batch after the other.
    func lapse(_ shouldStop: @Sendable () -> Bool = { false }) async throws {
        while !shouldStop() {
            let count = try await database.maintenanceTransaction(settings: settings) { transaction in
                try await transaction.query(
                    "SELECT \(raw: JournalSchema.name).lapse(\(id.rawValue), \(Int32(configuration.batchSize)))"
                ).first?.decode(Int32.self, at: 0) ?? 0
            }
            guard count > 0 else { return }
        }
    }

    /// Marks names that are due: condemned ones after the retention, unless a row has them.
    ///
    /// - Parameters:
    ///   - name: The only name to mark, whatever the retention.
    ///   - newest: Where the batch before ended: the index has nothing but the dead in front of it.
    func mark(
        only name: StorageName? = nil,
        newerThan newest: Date? = nil
    ) async throws -> (count: Int, revived: Int, newest: Date?) {
        try await database.maintenanceTransaction(settings: settings) { transaction in
            let rows = try await transaction.query(
                """
                SELECT marked, revived, newest FROM \(raw: JournalSchema.name).mark(\(id.rawValue), \
                \(Int32(configuration.batchSize)), make_interval(secs => \(configuration.retention.inSeconds)), \
                \(name?.string), \(newest))
                """
            )
            guard let row = rows.first else { return (0, 0, nil) }
            return (
                Int(try row.decode(Int32.self, at: 0)), Int(try row.decode(Int32.self, at: 1)),
                try row.decode(Date?.self, at: 2)
            )
        }
    }

    /// Takes marked names, for this process alone until the lease ends.
    func take(only name: StorageName?) async throws -> (taken: [Taken], revived: Int) {
        let rows = try await database.maintenanceTransaction(settings: settings) { transaction in
            try await transaction.query(
                """
                SELECT name, is_image, attempts, is_live FROM \(raw: JournalSchema.name).take(\(id.rawValue), \
                \(Int32(configuration.batchSize)), make_interval(secs => \(configuration.lease.inSeconds)), \
                \(name?.string))
                """
            )
        }
        var taken: [Taken] = []
        var revived = 0
        for row in rows {
            let text = try row.decode(String.self, at: 0)
            if try row.decode(Bool.self, at: 3) {
                revived += 1
                database.logger.debug(
                    "A condemned file is named by a row and lives on",
                    metadata: ["storage": "\(id)", "name": "\(text)"]
                )
                continue
            }
            // A column can hold what no storage has: there is no such file, so it counts as deleted.
            taken.append(
                Taken(
                    name: StorageName(unchecked: text),
                    isImage: try row.decode(Bool.self, at: 1),
                    attempts: Int(try row.decode(Int32.self, at: 2))
                )
            )
        }
        counter("revived").increment(by: revived)
        return (taken, revived)
    }

    /// Deletes the objects of taken names and notes what came of it.
    func delete(_ taken: [Taken]) async throws -> [ReapReport.Failure] {
        let errors: [StorageName: any Error]
        do {
            errors = try await deleteObjects(taken.map(\.name), images: taken.filter(\.isImage).map(\.name))
        } catch is CancellationError {
            // The others need not wait for the lease of a reaper that is gone.
            await letGo(taken.map(\.name))
            throw CancellationError()
        }
        await context.reach(.deleted)
        let gone = taken.map(\.name).filter { errors[$0] == nil }
        if !gone.isEmpty { try await journal.keepTombstones(of: gone, in: id) }
        counter("deleted").increment(by: gone.count)
        await context.reach(.tombstoned)
        let failures = taken.compactMap { taken in
            errors[taken.name].map {
                ReapReport.Failure(storage: id, name: taken.name, attempts: taken.attempts, error: $0)
            }
        }
        try await note(failures)
        return failures
    }

    func note(_ failures: [ReapReport.Failure]) async throws {
        guard let first = failures.first else { return }
        counter("failed").increment(by: failures.count)
        database.logger.warning(
            "Files could not be deleted and will be tried again",
            metadata: [
                "storage": "\(id)", "files": "\(failures.count)", "attempts": "\(first.attempts)",
                "error": "\(first.error)",
            ]
        )
        try await journal.postpone(
            failures.map {
                Journal.Failure(
                    name: $0.name,
                    message: "\($0.error)",
                    delay: configuration.delay(after: $0.attempts)
                )
            },
            in: id
        )
    }

    /// Deletes once more what was deleted long ago, then forgets it.
    private func forget(_ shouldStop: @Sendable () -> Bool) async throws -> ReapReport {
        var report = ReapReport()
        while !shouldStop() {
            try await checkOwner()
            let rows = try await database.maintenanceTransaction(settings: settings) { transaction in
                try await transaction.query(
                    """
                    SELECT name, is_image FROM \(raw: JournalSchema.name).take_tombstones(\(id.rawValue), \
                    \(Int32(configuration.batchSize)), make_interval(secs => \(configuration.tombstoneAge.inSeconds)), \
                    make_interval(secs => \(configuration.lease.inSeconds)))
                    """
                )
            }
            guard !rows.isEmpty else { break }
            let names = try rows.map { StorageName(unchecked: try $0.decode(String.self, at: 0)) }
            let images = try rows.filter { try $0.decode(Bool.self, at: 1) }
                .map { StorageName(unchecked: try $0.decode(String.self, at: 0)) }
            let errors = try await deleteObjects(names, images: images)
            await context.reach(.deletedAgain)
            let gone = names.filter { errors[$0] == nil }
            _ = try await database.query(
                """
                DELETE FROM \(raw: JournalSchema.name).journal WHERE storage = \(id.rawValue) \
                AND name = ANY (\(gone.map(\.string))) AND coalesce(state) = 'deleted'
                """
            )
            report.forgotten += gone.count
        }
        return report
    }

    /// Returns whether names wait for transactions that were running when they were marked.
    private func isWaiting() async throws -> Bool {
        let rows = try await database.query(
            """
            SELECT EXISTS (SELECT FROM \(raw: JournalSchema.name).journal WHERE storage = \(id.rawValue) \
            AND state = 'deleting' AND attempts = 0 AND lease_until <= clock_timestamp())
            """
        )
        return try rows.first?.decode(Bool.self, at: 0) ?? false
    }

    private func letGo(_ names: [StorageName]) async {
        let failures = names.map { Journal.Failure(name: $0, message: "interrupted", delay: .zero) }
        await Task.detached {
            do {
                try await journal.postpone(failures, in: id)
            } catch {
                database.logger.debug("A lease is left to run out", metadata: ["error": "\(error)"])
            }
        }.value
    }

    // MARK: The storage

    /// Deletes objects, what was derived from images among them, and the remains of their uploads, within the lease.
    ///
    /// - Returns: The names that may still exist, and why.
    private func deleteObjects(_ names: [StorageName], images: [StorageName]) async throws -> [StorageName: any Error] {
        let valid = names.filter { (try? StorageName(validating: $0.string)) != nil }
        do {
            // Somebody else takes over when the lease ends; by then this must not be deleting any more.
            return try await withDeadline(configuration.lease * 0.8, "The storage did not delete the files") {
                var errors: [StorageName: any Error] = [:]
                let derived = try await derivedNames(of: images, &errors)
                for failure in try await storage.delete(valid.filter { errors[$0] == nil } + derived.keys) {
                    errors[derived[failure.name] ?? failure.name] = failure.error
                }
                try await storage.abandonUploads(of: valid)
                return errors
            }
        } catch is CancellationError where Task.isCancelled {
            throw CancellationError()
        } catch {
            return Dictionary(uniqueKeysWithValues: names.map { ($0, error) })
        }
    }

    /// The variants of images, each with the image it belongs to; an image whose variants cannot be listed fails.
    private func derivedNames(
        of images: [StorageName],
        _ errors: inout [StorageName: any Error]
    ) async throws -> [StorageName: StorageName] {
        let listings = try await images.mapConcurrently(limit: 16) { [storage] image in
            do {
                var names: [StorageName] = []
                for try await file in storage.list(prefix: image.variantPrefix) { names.append(file.name) }
                return Result<[StorageName], any Error>.success(names)
            } catch {
                return .failure(error)
            }
        }
        try Task.checkCancellation()
        var derived: [StorageName: StorageName] = [:]
        for (image, listing) in zip(images, listings) {
            switch listing {
            case .success(let names): for name in names { derived[name] = image }
            case .failure(let error): errors[image] = error
            }
        }
        return derived
    }

    private func counter(_ name: String) -> Counter {
        Counter(label: "stored_files.reaper.\(name)", dimensions: [("storage", id.rawValue)])
    }
}
