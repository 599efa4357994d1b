import StoredFilesTesting
import TestSupport
import Testing

@testable import PostgresModels

@Suite("Notifications")
struct NotificationTests {
    private func payload(_ element: DatabaseNotification?) -> String? {
        guard case .notification(_, let payload, _) = element else { return nil }
        return payload
    }

    /// Sessions on the server that were last told to LISTEN.
    private func listeners(_ database: Database) async throws -> Int {
        let rows = try await database.query(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN %'"
        )
        return try #require(rows.first).decode(Int.self, at: 0)
    }

    @Test(
        "Notifications that follow the first element of a listener arrive in order",
        arguments: ["photos", "Caf\u{65}\u{301} \"quoted\"", "\"\u{301}; DROP TABLE x"]
    )
    func whatIsNotifiedAfterTheFirstElementArrivesInOrder(_ channel: String) async throws {
        try await withDatabase { database in
            var iterator = database.listen(to: channel).makeAsyncIterator()
            #expect(try await iterator.next() == .listening)
            for number in 0..<50 { try await database.notify(channel, payload: "\(number)") }
            try await database.notify("another")
            try await database.notify(channel)
            for number in 0..<50 {
                let element = try await iterator.next()
                guard case .notification(channel, "\(number)", let process) = element else {
                    Issue.record("\(number): \(String(describing: element))")
                    return
                }
                #expect(process > 0)
            }
            #expect(try await payload(iterator.next()) == "")
        }
    }

    @Test("A notification of a transaction is delivered only if it commits")
    func aTransactionNotifiesWithItsCommitOnly() async throws {
        try await withDatabase { database in
            var iterator = database.listen(to: "c").makeAsyncIterator()
            #expect(try await iterator.next() == .listening)
            try? await database.transaction { transaction in
                try await transaction.notify("c", payload: "rolled back")
                throw CancellationError()
            }
            try await database.transaction { try await $0.notify("c", payload: "committed") }
            #expect(try await payload(iterator.next()) == "committed")
        }
    }

    @Test("A listener that loses its connection reconnects and reports a gap")
    func aLostConnectionIsReplacedAndTheGapTold() async throws {
        try await withDatabase { database in
            var iterator = database.listen(to: "c").makeAsyncIterator()
            #expect(try await iterator.next() == .listening)
            for _ in 0..<2 {
                try await database.execute(
                    """
                    SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                    WHERE datname = current_database() AND query LIKE 'LISTEN %'
                    """
                )
                #expect(try await iterator.next() == .gap)
                try await database.notify("c", payload: "after")
                #expect(try await payload(iterator.next()) == "after")
            }
            #expect(database.statistics.listeningConnections == 1)
        }
    }

    @Test("A listener whose buffer is full drops the oldest notifications and reports a gap")
    func theOldestAreDroppedForTheNewestAndTheGapTold() async throws {
        try await withDatabase { database in
            let listener = NotificationListener("c", capacity: 3, pool: database.pool, in: database.listeners)
            defer { listener.stop() }
            #expect(try await listener.next() == .listening)
            for number in 0..<20 { try await database.notify("c", payload: "\(number)") }
            #expect(try await eventually { payload(listener.newest) == "19" })
            #expect(try await listener.next() == .gap)
            for number in 17..<20 { #expect(try await payload(listener.next()) == "\(number)") }
            try await database.notify("c", payload: "20")
            #expect(try await payload(listener.next()) == "20")
        }
    }

    @Test("Cancelling the consumer of notifications ends the iteration and its connection")
    func cancellingTheConsumerEndsTheIterationAndItsConnection() async throws {
        try await withDatabase { database in
            let task = Task {
                var elements: [DatabaseNotification] = []
                for try await element in database.listen(to: "c") { elements.append(element) }
                return elements
            }
            #expect(try await eventually { database.statistics.listeningConnections == 1 })
            task.cancel()
            let elements = try await task.value
            #expect(elements.allSatisfy { $0 == .listening })
            #expect(database.statistics.listeningConnections == 0)
            #expect(try await eventually { try await listeners(database) == 0 })
        }
    }

    @Test("Leaving a loop over notifications closes its connection")
    func anIterationThatIsGivenUpLeavesNoConnection() async throws {
        try await withDatabase { database in
            for try await element in database.listen(to: "c") {
                #expect(element == .listening)
                break
            }
            #expect(database.statistics.listeningConnections == 0)
            #expect(try await eventually { try await listeners(database) == 0 })
        }
    }

    @Test("Closing the database ends all loops over notifications")
    func closingTheDatabaseEndsAllIterations() async throws {
        try await withDatabase { database in
            let tasks = (0..<3).map { _ in
                Task { try await database.listen(to: "c").reduce(0) { count, _ in count + 1 } }
            }
            #expect(try await eventually { database.statistics.listeningConnections == 3 })
            await database.close()
            for task in tasks {
                let count = try await task.value
                #expect(count <= 1)
            }
            #expect(database.statistics.listeningConnections == 0)
            var late = database.listen(to: "c").makeAsyncIterator()
            #expect(try await late.next() == nil)
        }
    }

    @Test(
        "A channel whose name is not a valid identifier is refused",
        arguments: ["", "nul\u{0}", String(repeating: "é", count: 32)]
    )
    func aChannelThatIsNoNameIsRefused(_ channel: String) async throws {
        try await withDatabase { database in
            let listening = try await databaseError { for try await _ in database.listen(to: channel) {} }
            #expect(listening?.code == .invalidIdentifier)
            let notifying = try await databaseError { try await database.notify(channel) }
            #expect(notifying?.code == .invalidIdentifier)
        }
    }
}
