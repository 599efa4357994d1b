/// Counts of what a database has done and holds at a moment.
public struct DatabaseStatistics: Hashable, Sendable {
    /// The number of statements run since the database was opened, BEGIN, COMMIT and the like not among them.
    public let statements: Int

    /// Connections that are open: those of the pool, and the few that package code keeps for statements outside of the
    /// caller's transaction.
    public let openConnections: Int

    /// Open connections that nobody uses.
    public let idleConnections: Int

    /// Connections that listen to a channel, which are none of the pool's.
    public let listeningConnections: Int

    /// Tasks that wait for a connection.
    public let waitingTasks: Int
}
