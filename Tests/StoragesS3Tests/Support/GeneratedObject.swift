import Foundation

@testable import StoragesS3
@testable import StoredFilesTesting

/// An object of any size on a server that makes it up as it sends it, in a process of its own: nobody has room for it.
final class GeneratedObject: Sendable {
    let port: Int
    let byteCount: Int
    private let process: ServerProcess
    private let watchdog: ServerWatchdog

    /// Runs such a server for as long as the body runs.
    static func with<Result>(
        byteCount: Int,
        _ body: (GeneratedObject) async throws -> Result
    ) async throws -> Result {
        let directory = "/tmp/sfobject-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
        let watchdog = try ServerWatchdog(directory: directory, over: .server)
        do {
            let result = try await body(GeneratedObject(byteCount, directory, watchdog))
            await watchdog.releaseAndWait()
            return result
        } catch {
            await watchdog.releaseAndWait()
            throw error
        }
    }

    private init(_ byteCount: Int, _ directory: String, _ watchdog: ServerWatchdog) async throws {
        self.byteCount = byteCount
        self.watchdog = watchdog
        let (script, log) = ("\(directory)/object.py", "\(directory)/output.log")
        try Data(Self.script.utf8).write(to: URL(fileURLWithPath: script))
        process = try ServerProcess([S3Programs.find().python, script, "\(byteCount)"], in: directory, log: log)
        for _ in 0..<3000 {
            let output = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
            // A line is there when its end is.
            if output.hasSuffix("\n"), let port = Int(output.dropLast()) {
                self.port = port
                return
            }
            guard process.endStatus == nil else { throw ChildProcessError(description: "No server: \(output)") }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw ChildProcessError(description: "The server of the object did not start.")
    }

    /// The byte at a place; the bytes repeat with a period that no size of a range or a buffer divides.
    static func byte(at place: Int) -> UInt8 { UInt8(place % 251) }

    /// A storage with the object, whatever its name.
    func storage(_ configure: (inout S3Options) -> Void = { _ in }) throws -> S3Storage {
        try S3Storage(ScriptedBucket.setup(endpoint: "127.0.0.1:\(port)", configure))
    }

    private static let script = """
        import http.server
        import socketserver
        import sys

        SIZE = int(sys.argv[1])
        BLOCK = memoryview(bytes(range(251)) * 4096)


        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self):
                first, last = 0, SIZE - 1
                wanted = self.headers.get("Range")
                if wanted:
                    bounds = wanted.split("=")[1].split("-")
                    first, last = int(bounds[0]), min(int(bounds[1] or last), last)
                self.send_response(206 if wanted else 200)
                self.send_header("Content-Length", str(last - first + 1))
                self.send_header("ETag", '"generated"')
                self.send_header("Accept-Ranges", "bytes")
                if wanted:
                    self.send_header("Content-Range", f"bytes {first}-{last}/{SIZE}")
                self.end_headers()
                try:
                    while first <= last:
                        start = first % len(BLOCK)
                        piece = BLOCK[start:start + last - first + 1]
                        self.wfile.write(piece)
                        first += len(piece)
                except ConnectionError:
                    self.close_connection = True

            def log_message(self, *arguments):
                pass


        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, request, address):
                pass


        server = Server(("127.0.0.1", 0), Handler)
        print(server.server_address[1], flush=True)
        server.serve_forever()
        """
}
