import Foundation
import Platform
import TestSupport
import Testing

@testable import StoredFilesTesting

@Suite("The endpoint that closes idle TLS connections", .timeLimit(.minutes(2)))
struct TLSIdleCloserTests {
    @Test("The TLS endpoint forwards requests and closes idle connections with close_notify")
    func closes() async throws {
        try await FaultProxy.with { server async throws in
            server.script { _, _ in .answer(.init(200, body: "0123456789")) }
            try await TLSIdleCloser.with(before: (server.host, server.port)) { closer async throws in
                // A client with an unforgiving end of file: without close_notify, `recv` throws.
                let client = """
                    import socket, ssl, sys
                    context = ssl.create_default_context(cafile=sys.argv[1])
                    plain = socket.create_connection(("127.0.0.1", int(sys.argv[2])))
                    with context.wrap_socket(plain, server_hostname="localhost", suppress_ragged_eofs=False) as connection:
                        connection.sendall(b"GET / HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n")
                        while data := connection.recv(1000):
                            print(data.decode(), end="", flush=True)
                    """
                let output = "/tmp/sftls-\(UUID().uuidString).out"
                defer { try? FileManager.default.removeItem(atPath: output) }
                let python = try S3Programs.find().python
                let command = [python, "-c", client, closer.caFile, "\(closer.port)"]
                func text() -> String { (try? String(contentsOfFile: output, encoding: .utf8)) ?? "" }
                async let status = ChildProcess.run(command, in: "/", output: output)
                _ = try await eventually { text().hasSuffix("0123456789") }
                #expect(text().hasPrefix("HTTP/1.1 200"))
                #expect(closer.closedCount == 0)
                closer.closeIdleConnections()
                #expect(try await status == 0, "\(text())")
                _ = try await eventually { closer.closedCount > 0 }
                #expect(closer.closedCount == 1)
                #expect(server.requests.count == 1)
            }
        }
    }
}
