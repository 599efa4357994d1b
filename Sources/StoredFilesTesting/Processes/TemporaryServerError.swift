/// An error that a temporary server could not be started, stopped or used.
public struct TemporaryServerError: Error, Sendable, CustomStringConvertible {
    /// The kinds of failure.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Name: String {
            case serverNotInstalled, startFailed, stopFailed, setupFailed, stopped
        }

        private let name: Name

        /// The name of the code as it is written in Swift.
        public var description: String {
            name.rawValue
        }

        /// The server's programs were not found; the message says how to get them.
        public static let serverNotInstalled = Code(name: .serverNotInstalled)
        /// The server could not be set up or started; the message ends with its log.
        public static let startFailed = Code(name: .startFailed)
        /// The server could not be stopped.
        public static let stopFailed = Code(name: .stopFailed)
        /// A database or a bucket could not be made, or a script not be run.
        public static let setupFailed = Code(name: .setupFailed)
        /// The server was stopped and its files were removed before.
        public static let stopped = Code(name: .stopped)
    }

    /// The kind of the failure.
    public var code: Code
    /// A message about what failed and how to mend it.
    public var message: String
    /// The error that led to this one.
    public var underlying: (any Error)?

    /// The code, the message and what led to it.
    public var description: String {
        "\(code): \(message)" + (underlying.map { " (caused by: \($0))" } ?? "")
    }

    init(_ code: Code, _ message: String, underlying: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.underlying = underlying
    }
}
