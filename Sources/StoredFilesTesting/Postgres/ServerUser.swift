import Foundation
import Platform

/// The user the server runs as: ourselves, or somebody with fewer rights when we are root, whom `initdb` refuses.
struct ServerUser: Sendable {
    private struct Account {
        var name: String
        var uid: uid_t
        var gid: gid_t
    }

    /// The other account; `nil` when no change of user is needed.
    private let other: Account?

    init() throws {
        guard geteuid() == 0 else {
            other = nil
            return
        }
        for name in ["postgres", "nobody"] {
            guard let entry = getpwnam(name) else { continue }
            other = Account(name: name, uid: entry.pointee.pw_uid, gid: entry.pointee.pw_gid)
            return
        }
        throw TemporaryServerError(
            .startFailed,
            "PostgreSQL does not run as root, and there is no user \"postgres\" or \"nobody\". Create one, or run as "
                + "an ordinary user."
        )
    }

    /// Gives a directory to the user, who alone may enter it.
    func takeOver(_ path: String) throws {
        _ = chmod(path, 0o700)
        guard let other else { return }
        guard chown(path, other.uid, other.gid) == 0 else {
            throw TemporaryServerError(
                .startFailed,
                "Cannot give \(path) to \(other.name): \(String(cString: strerror(errno)))."
            )
        }
    }

    /// The command as it has to be started to run as the user.
    func command(_ command: [String]) throws -> [String] {
        guard let other else { return command }
        if let runuser = ChildProcess.find("runuser") { return [runuser, "-u", other.name, "--"] + command }
        if let setpriv = ChildProcess.find("setpriv") {
            return [setpriv, "--reuid=\(other.uid)", "--regid=\(other.gid)", "--clear-groups"] + command
        }
        if let su = ChildProcess.find("su") {
            return [su, "-s", "/bin/sh", other.name, "-c", "exec \"$0\" \"$@\"", "--"] + command
        }
        throw TemporaryServerError(
            .startFailed,
            "Running as root needs runuser, setpriv or su to start the server as \(other.name)."
        )
    }
}
