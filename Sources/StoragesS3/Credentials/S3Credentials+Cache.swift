import Foundation
import Logging
import StoragesHTTP

extension S3Credentials: ExpiringCredentials {}

extension CredentialCache where Credentials == S3Credentials {
    /// Creates a cache that has nothing yet.
    ///
    /// - Parameters:
    ///   - provider: The provider to call.
    ///   - logger: The logger of refreshes that failed.
    ///   - now: The clock. Default: the system's.
    ///   - jitter: A function that draws a number from a range. Default: at random.
    convenience init(
        _ provider: any S3CredentialProvider,
        logger: Logger,
        now: @escaping @Sendable () -> Date = { Date() },
        jitter: @escaping CredentialLifetime.Jitter = { .random(in: $0) }
    ) {
        self.init(for: "S3", logger: logger, now: now, jitter: jitter) { try await provider.credentials() }
    }
}
