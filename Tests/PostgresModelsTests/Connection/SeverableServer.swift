import Platform
import Synchronization
import Testing

@testable import PostgresModels

/// Stands between one session and the server, and can cut it without the server's last words.
final class SeverableServer: Sendable {
    private let hole: BlackHole
    private let ends = Mutex<[Int32]>([])

    /// A connection string for the one session.
    var conninfo: String { "host=\(hole.directory) user=app dbname=postgres" }

    /// - Parameter directory: The folder of the real server's Unix socket.
    init(before directory: String) throws {
        hole = try BlackHole()
        let isStarted = PrivateThread.start { [self] in
            let near = hole.accept()
            let far = BlackHole.connect(to: directory)
            ends.withLock { $0 = [near, far] }
            _ = PrivateThread.start { Self.copy(from: near, to: far) }
            Self.copy(from: far, to: near)
        }
        try #require(isStarted)
    }

    private static func copy(from source: Int32, to destination: Int32) {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = read(source, &buffer, buffer.count)
            guard count > 0, write(destination, buffer, count) == count else { return }
        }
    }

    /// Ends the session on both sides.
    func sever() {
        for end in ends.withLock({ $0 }) { _ = shutdown(end, Int32(SHUT_RDWR)) }
    }

    func close() {
        sever()
        for end in ends.withLock({ $0 }) { closeDescriptor(end) }
        hole.close()
    }
}
