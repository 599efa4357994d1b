/// What a database has done and holds at a moment.
public struct DatabaseStatistics: Hashable, Sendable {
    /// Statements run since the database was opened, BEGIN, COMMIT and the like not among them.
    public let statements: Int

    /// Connections that are open.
    public let openConnections: Int

    /// Open connections that nobody uses.
    public let idleConnections: Int

    /// Tasks that wait for a connection.
    public let waitingTasks: Int
}
