extension Database {
    /// Listens to a channel.
    ///
    /// The first element, ``DatabaseNotification/listening``, comes once the server listens; a notification that was
    /// committed after it arrives, or a ``DatabaseNotification/gap`` in its place.
    ///
    /// - Parameters:
    ///   - channel: The channel's name, 1 to 63 bytes; upper and lower case differ.
    ///   - capacity: How many elements may wait to be consumed, at least 1; the oldest are dropped for newer ones, and
    ///     a `.gap` tells. Default: 1000.
    /// - Returns: The notifications. Each iteration opens a connection of its own.
    public func listen(to channel: String, buffer capacity: Int = 1000) -> DatabaseNotifications {
        DatabaseNotifications(self, channel: channel, capacity: capacity)
    }
}

extension DatabaseSession {
    /// Notifies those who listen to a channel; in a transaction they learn of it after the COMMIT.
    ///
    /// - Parameters:
    ///   - channel: The channel's name, 1 to 63 bytes; upper and lower case differ.
    ///   - payload: What is sent along, less than 8000 bytes. Default: nothing.
    /// - Throws: ``DatabaseError`` with code `.invalidIdentifier` for a channel that is no name, `.invalidData` for a
    ///   payload that is too long, or by SQLSTATE; `CancellationError`.
    public func notify(_ channel: String, payload: String = "") async throws {
        // pg_notify takes the name as it is, but no other names than LISTEN does.
        _ = try Identifier.quoted(channel)
        try await execute("SELECT pg_notify(\(channel), \(payload))")
    }
}
