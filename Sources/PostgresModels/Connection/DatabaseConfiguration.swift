public import Logging

/// Settings of how a `Database` keeps connections and runs statements; the defaults suit a web server.
public struct DatabaseConfiguration: Sendable {
    /// The number of connections that may be open at once: 10 by default, at least 1.
    ///
    /// Each is a process on the server; PostgreSQL allows 100 in all unless `max_connections` says otherwise.
    public var poolSize: Int
    /// The way to the server past a pooler such as PgBouncer, as a libpq connection string or URI: nil by default,
    /// which is the address that the database is connected to.
    ///
    /// Behind a pooler in transaction mode a session changes hands after each transaction, so nothing that is notified
    /// arrives; and a file is reserved while the transaction that stores it waits, so that as many transactions as the
    /// pooler has connections would wait for each other for ever. Listening, migrating and what has to happen beside a
    /// transaction take this way: two connections at most, one more that lasts while migrations run, and one for each
    /// iteration over notifications.
    ///
    /// It may hold a password, and is left out when a configuration is printed.
    public var directAddress: String? {
        get { direct.address }
        set { direct.address = newValue }
    }
    private var direct: DirectAddress
    /// The time that a task waits for a connection: 30 seconds by default.
    ///
    /// Then it gets `.poolTimeout` when others kept all connections, `.connectionFailed` when there was none.
    public var acquireTimeout: Duration
    /// The time that one attempt to connect may take, all hosts together: 10 seconds by default.
    public var connectTimeout: Duration
    /// The number of attempts to connect before waiting tasks are told: 3 by default, at least 1.
    ///
    /// Only failures that may pass are tried again (nobody listens, the server is starting, too many connections),
    /// never a wrong password or database.
    public var connectAttempts: Int
    /// The pause before the second attempt to connect: 100 milliseconds by default; it doubles up to 5 seconds.
    public var connectBackoff: Duration
    /// The age at which a connection is replaced: 30 minutes by default, minus a random tenth.
    ///
    /// Replacing spreads the load after a failover and releases the memory of old sessions.
    public var maxLifetime: Duration
    /// The use of prepared statements, which are prepared once per connection and then reused: `.cached` by default.
    public var preparedStatements: PreparedStatements
    /// The number of prepared statements that a connection keeps: 256 by default, at least 16.
    public var statementCacheCapacity: Int
    /// The `statement_timeout` of the sessions; nil, the default, leaves the server's own.
    public var statementTimeout: Duration?
    /// The time zone of the sessions: "UTC" by default; nil leaves the server's own.
    ///
    /// `timestamptz` is a moment whatever the zone. Where PostgreSQL turns one into a `timestamp` or `date`, or into
    /// text, it uses the session's zone; `Date` takes both as UTC.
    public var timeZone: String?
    /// Further settings of the sessions by name, such as `["plan_cache_mode": "force_custom_plan"]`: none by default.
    ///
    /// Behind pgbouncer in transaction mode they do not hold; make them settings of the role there.
    public var sessionSettings: [String: String]
    /// The time that a cancelled statement may go on before its connection is closed: 2 seconds by default.
    ///
    /// The end of a stream's transaction may take as long, and 5 seconds in any case.
    public var cancellationGracePeriod: Duration
    /// The name of this program in `pg_stat_activity`, unless the connection string has an `application_name`.
    public var applicationName: String
    /// The logger of lost connections and notices of the server.
    public var logger: Logger

    /// A configuration with the defaults named at each property.
    public init(
        poolSize: Int = 10,
        directAddress: String? = nil,
        acquireTimeout: Duration = .seconds(30),
        connectTimeout: Duration = .seconds(10),
        connectAttempts: Int = 3,
        connectBackoff: Duration = .milliseconds(100),
        maxLifetime: Duration = .seconds(1800),
        preparedStatements: PreparedStatements = .cached,
        statementCacheCapacity: Int = 256,
        statementTimeout: Duration? = nil,
        timeZone: String? = "UTC",
        sessionSettings: [String: String] = [:],
        cancellationGracePeriod: Duration = .seconds(2),
        applicationName: String = "stored-files",
        logger: Logger = Logger(label: "stored-files.database")
    ) {
        self.poolSize = poolSize
        direct = DirectAddress(address: directAddress)
        self.acquireTimeout = acquireTimeout
        self.connectTimeout = connectTimeout
        self.connectAttempts = connectAttempts
        self.connectBackoff = connectBackoff
        self.maxLifetime = maxLifetime
        self.preparedStatements = preparedStatements
        self.statementCacheCapacity = statementCacheCapacity
        self.statementTimeout = statementTimeout
        self.timeZone = timeZone
        self.sessionSettings = sessionSettings
        self.cancellationGracePeriod = cancellationGracePeriod
        self.applicationName = applicationName
        self.logger = logger
    }

    /// The use of prepared statements.
    public struct PreparedStatements: Hashable, Sendable {
        private let isCached: Bool

        /// The mode in which each connection prepares a statement the first time and reuses the plan: fastest.
        public static let cached = PreparedStatements(isCached: true)
        /// The mode in which nothing stays on the server: for PgBouncer in transaction mode before 1.21, or without
        /// `max_prepared_statements`.
        public static let off = PreparedStatements(isCached: false)
    }
}
