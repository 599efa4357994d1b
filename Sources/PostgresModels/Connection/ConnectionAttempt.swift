internal import CLibPQ
import Platform

/// An attempt to open a session, on a private thread: name look-up, password files, certificates and SCRAM all block.
struct ConnectionAttempt: Sendable {
    let target: ConnectionTarget
    let applicationName: String
    let timeout: Duration

    func run() async throws -> ConnectionHandle {
        try await withUnsafeThrowingContinuation { continuation in
            let isStarted = PrivateThread.start { continuation.resume(with: Result { try connect() }) }
            if !isStarted {
                continuation.resume(throwing: failure("the process has no threads left", sqlState: nil))
            }
        }
    }

    private func connect() throws -> ConnectionHandle {
        let deadline = MonotonicTime.now + min(timeout, target.timeout ?? timeout).nanoseconds
        // Later entries win: what precedes dbname is a default, what follows cannot be changed by the string.
        let parameters = [
            ("keepalives_idle", "60"), ("tcp_user_timeout", "60000"),
            ("fallback_application_name", applicationName),
            ("dbname", target.conninfo),
            ("client_encoding", "UTF8"),
        ]
        let started = Self.withCStrings(parameters.map(\.0)) { names in
            Self.withCStrings(parameters.map(\.1)) { values in PQconnectStartParams(names, values, 1) }
        }
        guard let started else { throw failure("out of memory", sqlState: nil) }
        let handle = ConnectionHandle(owning: started)
        // The only way to learn the SQLSTATE of a refused login, which libpq does not hand out otherwise.
        PQsetErrorVerbosity(started, PQERRORS_VERBOSE)
        try poll(handle, until: deadline)
        PQsetErrorVerbosity(started, PQERRORS_DEFAULT)
        guard PQsetnonblocking(started, 1) == 0 else { throw refusal(of: handle) }
        return handle
    }

    private func poll(_ handle: ConnectionHandle, until deadline: UInt64) throws {
        let connection = handle.pointer
        guard PQstatus(connection) != CONNECTION_BAD else { throw refusal(of: handle) }
        var state = PGRES_POLLING_WRITING
        while state != PGRES_POLLING_OK {
            guard state != PGRES_POLLING_FAILED else { throw refusal(of: handle) }
            let now = MonotonicTime.now
            guard now < deadline else { throw timedOut() }
            // The socket may be another one after each step (next host, TLS refused): ask every time.
            let wanted = state == PGRES_POLLING_READING ? POLLIN : POLLOUT
            var descriptor = pollfd(fd: PQsocket(connection), events: Int16(wanted), revents: 0)
            let left = Int32(clamping: (deadline - now) / 1_000_000 + 1)
            #if canImport(Darwin)
                let ready = Darwin.poll(&descriptor, 1, left)
            #elseif canImport(Glibc)
                let ready = Glibc.poll(&descriptor, 1, left)
            #else
                let ready = Musl.poll(&descriptor, 1, left)
            #endif
            if ready == 0 { throw timedOut() }
            if ready < 0 && errno == EINTR { continue }
            state = PQconnectPoll(connection)
        }
    }

    private func timedOut() -> DatabaseError {
        failure("no response within \(min(timeout, target.timeout ?? timeout))", sqlState: nil)
    }

    private func refusal(of handle: ConnectionHandle) -> DatabaseError {
        let disclosure = disclosure(of: handle)
        let text = PQerrorMessage(handle.pointer).map { String(cString: $0) } ?? ""
        var state: String?
        var lines: [String] = []
        for line in text.split(whereSeparator: \.isNewline) {
            // Verbose reports go on with DETAIL, HINT and LOCATION; what failed stands in the line of the host.
            let isHostLine = line.hasPrefix("connection to server")
            guard isHostLine || lines.isEmpty else { continue }
            // "… failed: FATAL:  28P01: password authentication failed …"
            if let match = line.firstMatch(of: #/: {2}([0-9A-Z]{5}): /#) {
                state = String(match.1)
                let report = disclosure.shown(report: line[match.range.upperBound...], sqlState: state)
                lines.append(disclosure.shown(line[..<match.range.lowerBound]) + ": " + report)
            } else {
                lines.append(disclosure.shown(line))
            }
        }
        return failure(ServerReport.oneLine(lines.joined(separator: "; ")), sqlState: state)
    }

    /// The disclosure, with the options that the environment and the service file have added.
    private func disclosure(of handle: ConnectionHandle) -> ConnectionDisclosure {
        guard let options = PQconninfo(handle.pointer) else { return target.disclosure }
        defer { PQconninfoFree(options) }
        return target.disclosure.adding(ConnectionDisclosure.values(of: options))
    }

    private func failure(_ reason: String, sqlState: String?) -> DatabaseError {
        DatabaseError(
            code: .connectionFailed,
            message: "Cannot connect to PostgreSQL (\(target.label)): \(reason). Check that it runs there and that "
                + "the role may log in.",
            sqlState: sqlState ?? SQLState.cannotConnect
        )
    }

    private static func withCStrings<R>(
        _ strings: [String],
        _ body: (UnsafePointer<UnsafePointer<CChar>?>?) -> R
    ) -> R {
        let copies = strings.map { strdup($0) }
        defer { copies.forEach { free($0) } }
        return (copies.map { $0.map { UnsafePointer($0) } } + [nil]).withUnsafeBufferPointer { body($0.baseAddress) }
    }
}
