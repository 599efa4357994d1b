/// Why a temporary S3 server could not be started, stopped or used.
public struct TemporaryS3Error: Error, Sendable, CustomStringConvertible {
    /// The kinds of failure.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Name: String {
            case serverNotInstalled, startFailed, stopFailed, bucketFailed, stopped
        }

        private let name: Name

        /// The name of the code as it is written in Swift.
        public var description: String {
            name.rawValue
        }

        /// The programs were not found; the message says how to get them.
        public static let serverNotInstalled = Code(name: .serverNotInstalled)
        /// The server could not be set up or started; the message ends with its log.
        public static let startFailed = Code(name: .startFailed)
        /// The server could not be stopped.
        public static let stopFailed = Code(name: .stopFailed)
        /// A bucket could not be made.
        public static let bucketFailed = Code(name: .bucketFailed)
        /// The server was stopped and its files were removed before.
        public static let stopped = Code(name: .stopped)
    }

    /// What kind of failure it is.
    public var code: Code
    /// What failed and how to mend it.
    public var message: String

    /// The code and the message.
    public var description: String {
        "\(code): \(message)"
    }

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}
