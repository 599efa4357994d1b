import Foundation
import NIOCore
import NIOPosix

/// A client that sends bytes as they are and shows what comes back, for tests of servers and proxies.
enum RawConnection {
    /// The text that arrived, and the end of the connection.
    struct Outcome: Sendable {
        var text: String
        var ending: Ending

        /// The texts of the answers without heads, where each announces its length or is the last.
        var status: Int? { text.split(separator: " ").dropFirst().first.flatMap { Int($0) } }
        var body: String {
            guard let end = text.firstRange(of: "\r\n\r\n") else { return "" }
            return String(text[end.upperBound...])
        }
    }

    enum Ending: Sendable, Equatable {
        /// The other side closed in order.
        case closed
        /// The other side reset the connection.
        case reset
        /// Enough was there; we left.
        case enough
    }

    /// Sends a text and reads until the other side ends the connection, or until the text that came satisfies a
    /// condition.
    static func exchange(
        with port: Int,
        sending pieces: [String],
        until isEnough: (String) -> Bool = { _ in false }
    ) async throws -> Outcome {
        let connection = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        var text = ""
        do {
            return try await connection.executeThenClose { inbound, outbound in
                for piece in pieces { try await outbound.write(ByteBuffer(string: piece)) }
                for try await bytes in inbound {
                    text += String(buffer: bytes)
                    if isEnough(text) { return Outcome(text: text, ending: .enough) }
                }
                return Outcome(text: text, ending: .closed)
            }
        } catch let error as IOError where error.errnoCode == ECONNRESET || error.errnoCode == EPIPE {
            return Outcome(text: text, ending: .reset)
        }
    }

    /// A request of HTTP/1.1.
    static func request(
        _ method: String,
        _ target: String,
        headers: [String] = [],
        body: String = "",
        closes: Bool = false
    ) -> String {
        var lines = ["\(method) \(target) HTTP/1.1", "Host: files.example"] + headers
        if !body.isEmpty || method == "PUT" { lines.append("Content-Length: \(body.utf8.count)") }
        if closes { lines.append("Connection: close") }
        return lines.joined(separator: "\r\n") + "\r\n\r\n" + body
    }
}
