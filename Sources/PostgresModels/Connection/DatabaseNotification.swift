/// An element of ``DatabaseNotifications``.
///
/// A notification is only a hint that something changed. Who needs to know everything looks at the tables at
/// ``listening`` and at every ``gap``, and lets the notifications say where to look in between.
public enum DatabaseNotification: Hashable, Sendable {
    /// The server listens: what is notified from now on arrives. Always the first element, and comes once.
    case listening

    /// Somebody notified the channel, and committed.
    ///
    /// - Parameters:
    ///   - channel: The channel.
    ///   - payload: What was sent along, "" for nothing.
    ///   - processID: The process of the session that sent it, as in `pg_stat_activity`.
    case notification(channel: String, payload: String, processID: Int32)

    /// Notifications may be missing here: the connection was lost and is back, or they came faster than they were
    /// consumed and the oldest were dropped.
    case gap
}
