/// The notifications of a channel, in the order in which the server sent them; made by ``Database/listen(to:buffer:)``.
///
/// ```swift
/// for try await event in database.listen(to: "photos") {
///     switch event {
///     case .listening, .gap: try await reloadEverything()
///     case .notification(_, let payload, _): try await reload(payload)
///     }
/// }
/// ```
/// Each iteration has a connection of its own, outside of the pool, from its first element to its end. It ends without
/// an error when its task is cancelled and when the database is closed; an iteration that is given up ends with its
/// iterator.
///
/// Behind pgbouncer in transaction mode nothing arrives: give the database a ``DatabaseConfiguration/directAddress``.
public struct DatabaseNotifications: AsyncSequence, Sendable {
    /// The element that an iteration yields.
    public typealias Element = DatabaseNotification

    private let database: Database
    private let channel: String
    private let capacity: Int

    init(_ database: Database, channel: String, capacity: Int) {
        self.database = database
        self.channel = channel
        self.capacity = capacity
    }

    /// Begins an iteration; the connection is opened when the first element is asked for.
    ///
    /// - Returns: The iterator.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(
            NotificationListener(channel, capacity: capacity, pool: database.sidePool, in: database.listeners)
        )
    }

    /// Iterates over notifications.
    public struct AsyncIterator: AsyncIteratorProtocol {
        /// Ends the listening with the last copy of the iterator.
        private final class Lifetime {
            let listener: NotificationListener

            init(_ listener: NotificationListener) {
                self.listener = listener
            }

            deinit {
                listener.stop()
            }
        }

        private let lifetime: Lifetime

        init(_ listener: NotificationListener) {
            lifetime = Lifetime(listener)
        }

        /// Waits for the next element.
        ///
        /// - Returns: The element; `nil` when the task was cancelled or the database closed.
        /// - Throws: ``DatabaseError`` for what trying again cannot mend: `.invalidIdentifier` for a channel that is no
        ///   name, `.connectionFailed` for a refused login, `.readOnly` on a standby. A server that is away is tried
        ///   again until it is back, with pauses that grow to 5 seconds.
        public mutating func next() async throws -> DatabaseNotification? {
            try await lifetime.listener.next()
        }
    }
}
