internal import CLibPQ

/// A connection string that libpq can read, and what may be said about it in messages.
struct ConnectionTarget: Sendable {
    let conninfo: String
    /// The parts of it that may be shown in messages.
    let disclosure: ConnectionDisclosure
    /// A Boolean value that indicates whether only a server that accepts writes will do.
    let requiresReadWrite: Bool
    /// `connect_timeout` of the connection string, which PQconnectPoll leaves to its caller.
    let timeout: Duration?

    /// Host, port, database and user as far as they may be shown; never the password.
    var label: String { disclosure.label }

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
        let values = ConnectionDisclosure.values(of: options)
        try Self.refuseMisreadings(of: conninfo, values)
        self.conninfo = conninfo
        disclosure = ConnectionDisclosure(conninfo, values)
        requiresReadWrite = ["read-write", "primary"].contains(values["target_session_attrs"] ?? "any")
        timeout = values["connect_timeout"].flatMap { Int($0) }.flatMap { $0 > 0 ? .seconds(max(2, $0)) : nil }
    }

    /// Refuses what libpq can read, but not as it is meant: parts of a password would become host, port or database,
    /// which messages show.
    private static func refuseMisreadings(of conninfo: String, _ values: [String: String]) throws {
        let remedy =
            "percent-encode the special characters of user name and password in a URI (\"/\" as %2F, \"@\" as %40, "
            + "\":\" as %3A), or put the values of key=value pairs in single quotation marks"
        if let host = values["host"], host.contains("@"), !host.hasPrefix("/") {
            throw invalid("its host contains \"@\"; \(remedy)")
        }
        for name in ["port", "connect_timeout"] {
            guard let value = values[name] else { continue }
            let isNumeric = value.utf8.allSatisfy {
                (0x30...0x39).contains($0) || $0 == 0x2C || $0 == 0x2D || $0 == 0x20
            }
            guard isNumeric else { throw invalid("its \(name) is not a number; \(remedy)") }
        }
        if let address = values["hostaddr"],
            !address.utf8.allSatisfy({ Character(UnicodeScalar($0)).isHexDigit || ":.,".utf8.contains($0) })
        {
            throw invalid("its hostaddr is not a numeric address; \(remedy)")
        }
        // A connection string as the name of a database is one too many, and libpq takes it for a name.
        if let name = values["dbname"], name.contains("://") || name.contains("=") {
            throw invalid("its database is named like a connection string; give one string only, and \(remedy)")
        }
        guard let scheme = ["postgresql://", "postgres://"].first(where: conninfo.hasPrefix) else { return }
        let rest = conninfo.dropFirst(scheme.count)
        guard let slash = rest.firstIndex(of: "/") else { return }
        // After a "/" in the password the "@" that ends it stands in what libpq takes for the database.
        let hasUser = rest[..<slash].contains("@")
        let path = rest[slash...].prefix { $0 != "?" }
        let isWithoutUser = !hasUser && values["user"] == nil && rest[..<slash].contains(":")
        guard !path.contains("@"), !(isWithoutUser && rest[slash...].contains("@")) else {
            throw invalid("\"@\" stands after the first \"/\"; \(remedy)")
        }
    }

    private static func invalid(_ reason: String) -> DatabaseError {
        DatabaseError(code: .invalidArgument, message: "The connection string cannot be used: \(reason).")
    }
}

// The password must not be printed with a pool or a database.
extension ConnectionTarget: CustomStringConvertible, CustomReflectable {
    var description: String { label }

    var customMirror: Mirror { Mirror(self, children: ["label": label]) }
}
