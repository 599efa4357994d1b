import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

@testable import StoragesS3

/// A server that takes connections, and neither reads nor says anything.
struct SilentServer: Sendable {
    let port: Int
    private let accepted: NIOLockedValueBox<Int>

    /// The number of connections that clients have made.
    var connectionCount: Int { accepted.withLockedValue { $0 } }

    static func with<Result>(_ work: (SilentServer) async throws -> Result) async throws -> Result {
        let accepted = NIOLockedValueBox(0)
        let channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelOption(.autoRead, value: false)
            .childChannelInitializer { channel in
                accepted.withLockedValue { $0 += 1 }
                return channel.eventLoop.makeSucceededVoidFuture()
            }
            .bind(host: "127.0.0.1", port: 0)
            .get()
        do {
            guard let port = channel.localAddress?.port else { throw HTTPWireError("a server without a port") }
            let result = try await work(SilentServer(port: port, accepted: accepted))
            try await channel.close()
            return result
        } catch {
            try await channel.close()
            throw error
        }
    }

    /// A storage that waits for this server.
    func storage(useSSL: Bool = false, _ configure: (inout S3Options) -> Void = { _ in }) throws -> S3Storage {
        try S3Storage(ScriptedBucket.setup(endpoint: "127.0.0.1:\(port)", useSSL: useSSL, configure))
    }
}
