import Platform
import Storages

/// Finds the addresses of a host.
typealias HostResolver = @Sendable (_ host: String) async throws -> [HostAddress]

/// An address of IPv4 or IPv6.
enum HostAddress: Hashable, Sendable {
    /// The four bytes of an IPv4 address.
    case v4([UInt8])
    /// The sixteen bytes of an IPv6 address.
    case v6([UInt8])

    /// Reads an address in its standard form: not the octal, hexadecimal and short forms of IPv4 that some systems
    /// take.
    init?(literal: String) {
        var bytes = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, literal, &bytes) == 1 {
            self = .v4(Array(bytes.prefix(4)))
        } else if inet_pton(AF_INET6, literal, &bytes) == 1 {
            self = .v6(bytes)
        } else {
            return nil
        }
    }

    /// The address in its standard form, without brackets.
    var text: String {
        switch self {
        case .v4(let bytes):
            return bytes.map(String.init).joined(separator: ".")
        case .v6(let bytes):
            var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
            guard inet_ntop(AF_INET6, bytes, &buffer, socklen_t(buffer.count)) != nil else { return "::" }
            return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        }
    }

    /// A Boolean value that indicates whether credentials may come from there without TLS: from this machine, and from
    /// the agents of ECS and EKS.
    var isTrustedForCredentials: Bool {
        switch self {
        case .v4(let bytes):
            return bytes.first == 127 || bytes == [169, 254, 170, 2] || bytes == [169, 254, 170, 23]
        case .v6(let bytes):
            if bytes.prefix(12).elementsEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]) {
                return HostAddress.v4(Array(bytes.suffix(4))).isTrustedForCredentials
            }
            return self == HostAddress(literal: "::1") || self == HostAddress(literal: "fd00:ec2::23")
        }
    }

    /// Asks the system for the addresses of a host, on the blocking pool.
    ///
    /// - Returns: At least one address, in the system's order.
    /// - Throws: ``StorageError`` with code `unavailable`; `CancellationError`.
    static func resolve(_ host: String) async throws -> [HostAddress] {
        try await BlockingPool.run { try resolveNow(host) }
    }

    private static func resolveNow(_ host: String) throws -> [HostAddress] {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        #if canImport(Glibc)
            hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        #else
            hints.ai_socktype = SOCK_STREAM
        #endif
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host, nil, &hints, &list)
        defer { if let list { freeaddrinfo(list) } }
        var addresses: [HostAddress] = []
        var next = status == 0 ? list : nil
        while let entry = next {
            if let address = HostAddress(entry.pointee), !addresses.contains(address) { addresses.append(address) }
            next = entry.pointee.ai_next
        }
        guard !addresses.isEmpty else {
            let reason = status == 0 ? "it has no address" : String(cString: gai_strerror(status))
            throw StorageError(
                .unavailable,
                "The host \(StorageError.quoted(host)) of the credentials was not found: \(reason). Check its name."
            )
        }
        return addresses
    }

    private init?(_ entry: addrinfo) {
        guard let pointer = entry.ai_addr else { return nil }
        // ai_family says which structure getaddrinfo put there; raw reads need no other binding of the memory.
        let raw = UnsafeRawPointer(pointer)
        switch entry.ai_family {
        case AF_INET where Int(entry.ai_addrlen) >= MemoryLayout<sockaddr_in>.size:
            let address = raw.loadUnaligned(as: sockaddr_in.self)
            self = .v4(withUnsafeBytes(of: address.sin_addr) { Array($0) })
        case AF_INET6 where Int(entry.ai_addrlen) >= MemoryLayout<sockaddr_in6>.size:
            let address = raw.loadUnaligned(as: sockaddr_in6.self)
            self = .v6(withUnsafeBytes(of: address.sin6_addr) { Array($0) })
        default:
            return nil
        }
    }
}
