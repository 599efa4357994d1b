extension TemporaryPostgres {
    /// The configuration of a temporary server.
    public struct Configuration: Sendable {
        /// The directory of `initdb` and `postgres`; nil, the default, looks for them.
        ///
        /// The order: the environment variable `PG_BINDIR`, the newest of the usual places of Debian, Red Hat and
        /// Homebrew, `pg_config --bindir`, the search path.
        public var binaryDirectory: String?
        /// The directory in which the cluster's directory is made: `/tmp` by default, because the path of a socket is
        /// limited to about 100 bytes.
        public var parentDirectory: String
        /// Further settings of the server by name, such as `["max_connections": "20"]`; they win over ours.
        public var settings: [String: String]

        /// A configuration with the defaults named at each property.
        public init(
            binaryDirectory: String? = nil,
            parentDirectory: String = "/tmp",
            settings: [String: String] = [:]
        ) {
            self.binaryDirectory = binaryDirectory
            self.parentDirectory = parentDirectory
            self.settings = settings
        }
    }

    /// The mode of a shutdown of the server.
    public enum ShutdownMode: String, Sendable {
        /// Waits until all sessions have ended by themselves.
        case smart
        /// Ends all sessions with 57P01 and shuts down in order.
        case fast
        /// Drops everything at once; the next start recovers.
        case immediate
    }
}
