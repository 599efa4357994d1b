import NIOConcurrencyHelpers
import Platform

/// Ports of 127.0.0.1.
enum LoopbackPort {
    /// A port that nobody listens on at the moment.
    ///
    /// Below those that systems give to outgoing connections: a server that is started again must find it free, and a
    /// connection to a port without a server must not meet itself.
    static func free() -> Int? {
        for _ in 0..<100 {
            let port = Int.random(in: 20_000..<32_000)
            // Servers take a moment to begin to listen; the next one of this process gets another port all the same.
            guard given.withLockedValue({ $0.insert(port).inserted }) else { continue }
            if withSocket(port, { bind($0, $1, $2) }) == 0 { return port }
        }
        return nil
    }

    /// So many different ports that nobody listens on at the moment.
    static func free(_ count: Int) -> [Int]? {
        var ports: [Int] = []
        while ports.count < count {
            guard let port = free() else { return nil }
            ports.append(port)
        }
        return ports
    }

    private static let given = NIOLockedValueBox<Set<Int>>([])

    /// Returns whether a server accepts connections on a port; returns at once, for the other side is this machine.
    static func isOpen(_ port: Int) -> Bool {
        withSocket(port) { connect($0, $1, $2) } == 0
    }

    private static func withSocket(
        _ port: Int,
        _ body: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        #if canImport(Darwin)
            let descriptor = socket(AF_INET, SOCK_STREAM, 0)
        #else
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        #endif
        guard descriptor >= 0 else { return -1 }
        defer { _ = close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                body(descriptor, address, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}
