import Foundation
import Platform

/// The directory of a temporary server, and the programs that run in it.
struct ServerDirectory: Sendable {
    let path: String

    /// Makes a directory that only this user can enter.
    ///
    /// - Parameters:
    ///   - parent: where it is made.
    ///   - prefix: what its name begins with.
    ///   - longest: the most bytes that its path may have, for a socket in it; nil for any number.
    /// - Throws: `TemporaryServerError.startFailed`, and nothing stays behind.
    init(in parent: String, prefix: String, longest: Int? = nil) throws {
        var template = Array("\(parent)/\(prefix).XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw TemporaryServerError(
                .startFailed,
                "Cannot make a directory in \(parent): \(String(cString: strerror(errno)))."
            )
        }
        path = template.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? parent }
        guard path.utf8.count <= longest ?? .max else {
            remove()
            throw TemporaryServerError(
                .startFailed,
                "\(parent) is too long for a socket in it. Choose a shorter parentDirectory, such as /tmp."
            )
        }
    }

    /// Runs a program to its end.
    ///
    /// - Parameters:
    ///   - command: the program's path and its arguments.
    ///   - output: the file that gets what it prints.
    /// - Returns: as `ChildProcess.run`.
    /// - Throws: `TemporaryServerError.startFailed` when the program could not be run.
    func run(_ command: [String], output: String) async throws -> Int32 {
        do {
            return try await ChildProcess.run(command, in: path, output: output)
        } catch {
            throw TemporaryServerError(.startFailed, "\(error)")
        }
    }

    /// Returns the contents of a file; an empty string when it does not exist.
    func text(of file: String) -> String {
        FileManager.default.contents(atPath: file).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    /// The error about a server that did not start, with the end of a log.
    func failure(of server: String, _ what: String, log: String) -> TemporaryServerError {
        TemporaryServerError(.startFailed, "Temporary \(server): \(what). Its log:\n\(text(of: log).suffix(4000))")
    }

    /// Removes the directory, which no watchdog is over yet.
    func remove() {
        try? FileManager.default.removeItem(atPath: path)
    }
}
