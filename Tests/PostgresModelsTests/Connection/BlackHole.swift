import Platform
import Testing

@testable import PostgresModels

/// A Unix socket that accepts connections into its backlog and never says anything.
struct BlackHole {
    let directory: String
    private let descriptor: Int32

    init() throws {
        var template = Array("/tmp/hole.XXXXXX".utf8CString)
        _ = mkdtemp(&template)
        directory = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        descriptor = Self.makeSocket()
        let status = Self.withAddress(in: directory) { bind(descriptor, $0, $1) }
        try #require(status == 0 && listen(descriptor, 5) == 0)
    }

    /// Waits for somebody to connect, and takes the connection out of the backlog.
    func accept() -> Int32 {
        #if canImport(Darwin)
            Darwin.accept(descriptor, nil, nil)
        #elseif canImport(Glibc)
            Glibc.accept(descriptor, nil, nil)
        #else
            Musl.accept(descriptor, nil, nil)
        #endif
    }

    /// Connects to the server whose socket is in the folder.
    static func connect(to directory: String) -> Int32 {
        let descriptor = makeSocket()
        _ = withAddress(in: directory) { address, length in
            #if canImport(Darwin)
                Darwin.connect(descriptor, address, length)
            #elseif canImport(Glibc)
                Glibc.connect(descriptor, address, length)
            #else
                Musl.connect(descriptor, address, length)
            #endif
        }
        return descriptor
    }

    private static func makeSocket() -> Int32 {
        #if canImport(Darwin)
            socket(AF_UNIX, SOCK_STREAM, 0)
        #else
            socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        #endif
    }

    private static func withAddress(
        in directory: String,
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let path = Array("\(directory)/.s.PGSQL.5432".utf8)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }

    func close() {
        closeDescriptor(descriptor)
        unlink("\(directory)/.s.PGSQL.5432")
        rmdir(directory)
    }
}
