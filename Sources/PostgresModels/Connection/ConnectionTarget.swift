internal import CLibPQ

/// A connection string that libpq can read, and what may be said about it in messages.
struct ConnectionTarget: Sendable {
    let conninfo: String
    /// Host, port, database and user; never the password.
    let label: String
    /// Whether only a server that accepts writes will do.
    let requiresReadWrite: Bool
    /// `connect_timeout` of the connection string, which PQconnectPoll leaves to its caller.
    let timeout: Duration?

    /// - Throws: `DatabaseError.invalidArgument`; the message does not repeat the string, which may hold a password.
    init(_ conninfo: String) throws {
        guard !conninfo.utf8.contains(0) else {
            throw Self.invalid("it contains a NUL character")
        }
        var message: UnsafeMutablePointer<CChar>?
        guard let options = PQconninfoParse(conninfo, &message) else {
            PQfreemem(message)
            throw Self.invalid(
                "it is neither a URI (postgresql://user@host:5432/name) nor a list of key=value pairs; "
                    + "percent-encode special characters in a URI"
            )
        }
        defer { PQconninfoFree(options) }
        var values: [String: String] = [:]
        var option = options
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val { values[String(cString: keyword)] = String(cString: value) }
            option += 1
        }
        // An unescaped "@" in the password makes the rest of it part of the host, which libpq would print.
        guard values["host"]?.contains("@") != true || values["host"]?.hasPrefix("/") == true else {
            throw Self.invalid("its host contains \"@\"; write the one in the password as %40")
        }
        self.conninfo = conninfo
        let named = ["host", "hostaddr", "port", "dbname", "user"]
        let known = named.compactMap { name in values[name].map { "\(name)=\($0)" } }
        label = known.isEmpty ? "the default server" : known.joined(separator: " ")
        requiresReadWrite = ["read-write", "primary"].contains(values["target_session_attrs"] ?? "any")
        timeout = values["connect_timeout"].flatMap { Int($0) }.flatMap { $0 > 0 ? .seconds(max(2, $0)) : nil }
    }

    private static func invalid(_ reason: String) -> DatabaseError {
        DatabaseError(code: .invalidArgument, message: "The connection string cannot be used: \(reason).")
    }
}
