import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

/// A proxy on the loopback interface that does to each request what a script says, and remembers all of them.
///
/// It forwards requests as they are, `Host` included, on a new connection to the server for each; without a server, the
/// script has to answer everything. It speaks http only.
///
/// ```swift
/// try await FaultProxy.with(upstream: (server.host, server.port)) { proxy in
///     proxy.script { request, index in
///         request.method == "PUT" && index == 0 ? .cut(.afterRequestBody(bytes: 4096)) : .pass
///     }
/// }
/// ```
final class FaultProxy: Sendable {
    /// Decides what becomes of a request, of which only the head has arrived; the number counts from 0 since the script
    /// was set.
    typealias Script = @Sendable (Request, Int) -> Action
    /// Decides what becomes of a connection by its number, counted from 0 since the proxy was started.
    typealias ConnectionScript = @Sendable (Int) -> Acceptance
    typealias Upstream = (host: String, port: Int)

    struct State {
        var script: Script = { _, _ in .pass }
        var scriptStart = 0
        var connectionScript: ConnectionScript = { _ in .accept }
        var requests: [Request] = []
        var connections: [Connection] = []
        var channels: [Int: any Channel] = [:]
        var failures: [String] = []
    }

    let host = "127.0.0.1"
    let port: Int
    var endpoint: String { "\(host):\(port)" }
    let upstream: Upstream?
    let idleTimeout: Duration?
    let hashesBodies: Bool
    let state = NIOLockedValueBox(State())
    private let server: NIOAsyncChannel<NIOAsyncChannel<ByteBuffer, ByteBuffer>, Never>
    private let serving = NIOLockedValueBox<Task<Void, Never>?>(nil)

    // MARK: Life

    /// Starts a proxy for as long as the body runs.
    ///
    /// - Parameters: as those of `start`.
    static func with<Result>(
        upstream: Upstream? = nil,
        idleTimeout: Duration? = nil,
        hashesBodies: Bool = false,
        _ body: (FaultProxy) async throws -> Result
    ) async throws -> Result {
        let proxy = try await start(upstream: upstream, idleTimeout: idleTimeout, hashesBodies: hashesBodies)
        do {
            let result = try await body(proxy)
            await proxy.stop()
            return result
        } catch {
            await proxy.stop()
            throw error
        }
    }

    /// Starts a proxy that passes everything until it gets a script.
    ///
    /// - Parameters:
    ///   - upstream: The server; `nil`, the default, for none.
    ///   - idleTimeout: After how long without a request a connection is closed; `nil`, the default, for never.
    ///   - hashesBodies: Whether requests get a `bodySHA256`; `false` by default.
    static func start(
        upstream: Upstream? = nil,
        idleTimeout: Duration? = nil,
        hashesBodies: Bool = false
    ) async throws -> FaultProxy {
        let server = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.backlog, value: 1024)
            .bind(host: "127.0.0.1", port: 0) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        guard let port = server.channel.localAddress?.port else { throw HTTPWireError("a server without a port") }
        let proxy = FaultProxy(server, port, upstream, idleTimeout, hashesBodies)
        proxy.serving.withLockedValue { $0 = Task { await proxy.serve() } }
        return proxy
    }

    private init(
        _ server: NIOAsyncChannel<NIOAsyncChannel<ByteBuffer, ByteBuffer>, Never>,
        _ port: Int,
        _ upstream: Upstream?,
        _ idleTimeout: Duration?,
        _ hashesBodies: Bool
    ) {
        self.server = server
        self.port = port
        self.upstream = upstream
        self.idleTimeout = idleTimeout
        self.hashesBodies = hashesBodies
    }

    private func serve() async {
        do {
            try await server.executeThenClose { connections in
                try await withThrowingDiscardingTaskGroup { group in
                    for try await channel in connections {
                        group.addTask { await self.serve(channel) }
                    }
                }
            }
        } catch {
            // Cancelled by `stop`, which is the only way to end.
            return
        }
    }

    private func serve(_ channel: NIOAsyncChannel<ByteBuffer, ByteBuffer>) async {
        let (number, acceptance) = state.withLockedValue { state in
            let number = state.connections.count
            state.connections.append(Connection(number: number, openTime: .now))
            state.channels[number] = channel.channel
            return (number, state.connectionScript(number))
        }
        await FaultProxyConnection(proxy: self, channel: channel, number: number).serve(acceptance)
        state.withLockedValue { state in
            state.connections[number].isOpen = false
            state.connections[number].isIdle = false
            state.channels[number] = nil
        }
    }

    /// Closes all connections and stops to listen; calling it again does nothing.
    func stop() async {
        let task = serving.withLockedValue { task in
            defer { task = nil }
            return task
        }
        task?.cancel()
        await task?.value
        // One that was closed already says so.
        try? await server.channel.close()
    }

    // MARK: Scripts

    /// Decides what becomes of the requests from now on.
    func script(_ script: @escaping Script) {
        state.withLockedValue { state in
            state.script = script
            state.scriptStart = state.requests.count
        }
    }

    /// Decides what becomes of the next requests, one after the other; later ones pass.
    func script(_ actions: [Action]) {
        script { _, index in index < actions.count ? actions[index] : .pass }
    }

    /// Decides what becomes of connections from now on.
    func scriptConnections(_ script: @escaping ConnectionScript) {
        state.withLockedValue { $0.connectionScript = script }
    }

    /// Closes the connections that are open and between two requests.
    func closeIdleConnections() async {
        let channels = state.withLockedValue { state in
            state.connections.filter(\.isIdle).compactMap { state.channels[$0.number] }
        }
        for channel in channels {
            // One that was closed in this moment by the client is closed, too.
            try? await channel.close()
        }
    }

    // MARK: Records

    /// All requests whose head arrived, in this order.
    var requests: [Request] { state.withLockedValue { $0.requests } }

    /// All connections that were accepted, in this order.
    var connections: [Connection] { state.withLockedValue { $0.connections } }

    /// The failures that were not in a script: clients that went away, servers that could not be reached.
    var failures: [String] { state.withLockedValue { $0.failures } }

    func record(_ head: HTTPWireHead, connection: Int) throws -> (Request, Action) {
        // The script runs outside the lock: it may ask for the records.
        let (request, script, index) = try state.withLockedValue { state in
            let request = try Request(head, number: state.requests.count, connection: connection)
            state.requests.append(request)
            state.connections[connection].requestCount += 1
            state.connections[connection].isIdle = false
            return (request, state.script, request.number - state.scriptStart)
        }
        return (request, script(request, index))
    }

    func update(_ request: Int, _ change: (inout Request) -> Void) {
        state.withLockedValue { change(&$0.requests[request]) }
    }
}
