import Foundation
import Platform

@testable import StoredFilesTesting

/// A TLS endpoint before a plain server, which closes idle connections with TLS's own close_notify.
final class TLSIdleCloser: Sendable {
    let host = "127.0.0.1"
    let port: Int
    /// The certificate that clients have to trust, in PEM.
    var caFile: String { "\(directory)/ca.pem" }
    private let directory: String
    private let process: ServerProcess
    private let watchdog: ServerWatchdog

    /// Starts one for as long as the body runs.
    ///
    /// - Parameters:
    ///   - server: What connections are forwarded to.
    ///   - seconds: After how long without a byte in either direction a connection is closed.
    static func with<Result>(
        before server: (host: String, port: Int),
        closingAfter seconds: Double = 3600,
        _ body: (TLSIdleCloser) async throws -> Result
    ) async throws -> Result {
        let directory = "/tmp/sftls-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
        let watchdog = try ServerWatchdog(directory: directory, over: .server)
        do {
            let closer = try await TLSIdleCloser(directory, watchdog, server, seconds)
            let result = try await body(closer)
            await watchdog.releaseAndWait()
            return result
        } catch {
            await watchdog.releaseAndWait()
            throw error
        }
    }

    private init(
        _ directory: String,
        _ watchdog: ServerWatchdog,
        _ server: (host: String, port: Int),
        _ seconds: Double
    ) async throws {
        self.directory = directory
        self.watchdog = watchdog
        let programs = try S3Programs.find()
        let (maker, script) = ("\(directory)/certificates.py", "\(directory)/tls_idle_closer.py")
        try Data(TemporaryS3.Program.certificates.source).write(to: URL(fileURLWithPath: maker))
        try Data(PackageResources.tls_idle_closer_py).write(to: URL(fileURLWithPath: script))
        guard try await ChildProcess.run([programs.python, maker, directory], in: directory) == 0 else {
            throw ChildProcessError(description: "No certificate could be made.")
        }
        let log = "\(directory)/output.log"
        let certificate = ["\(directory)/server.pem", "\(directory)/server.key"]
        let arguments = certificate + [server.host, "\(server.port)", "\(seconds)"]
        process = try ServerProcess([programs.python, script] + arguments, in: directory, log: log)
        for _ in 0..<3000 {
            if let port = Self.lines(of: log).first.flatMap({ Int($0) }) {
                self.port = port
                return
            }
            guard process.endStatus == nil else { break }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw ChildProcessError(description: "The TLS endpoint did not start: \(Self.lines(of: log))")
    }

    /// Closes the connections over which nothing goes at the moment.
    func closeIdleConnections() {
        process.send(SIGUSR1)
    }

    /// The number of connections that it has closed for being idle.
    var closedCount: Int {
        Self.lines(of: "\(directory)/output.log").count { $0.hasPrefix("closed ") }
    }

    private static func lines(of file: String) -> [String] {
        let text = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
        // A line is there when its end is.
        return text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
    }
}
