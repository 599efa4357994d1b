import Foundation
import StoredFiles

/// A crash of the server in the instant after a reaper has deleted files, which conductor and reapers agree on by files
/// in the folder of the run.
struct ServerCrash: Sendable {
    /// The deletion after which a reaper ended the server.
    struct Deletion: Codable, Sendable {
        var side: Int
        var names: [String]
        var time: Date
    }

    private let wanted: String
    private let claimed: String
    private let done: String
    private let processFile: String

    init(folder: String, processFile: String) {
        wanted = folder + "/crash-wanted"
        claimed = folder + "/crash-claimed"
        done = folder + "/crash-done"
        self.processFile = processFile
    }

    /// A Boolean value that indicates whether the conductor wants it.
    var isWanted: Bool { access(wanted, F_OK) == 0 }

    /// Ends the server when the conductor wants it and no other reaper does it.
    ///
    /// At once, without anything in between: each commit of somebody else puts the reaper's on disk, too.
    func strike(afterDeletionOf names: [StorageName], on side: Int) {
        guard rename(wanted, claimed) == 0 else { return }
        if let text = try? String(contentsOfFile: processFile, encoding: .utf8),
            let server = text.split(separator: "\n").first.flatMap({ pid_t($0) }), server > 1
        {
            // As an immediate shutdown, which writes nothing more.
            kill(server, SIGQUIT)
        }
        let deletion = Deletion(side: side, names: names.map(\.string), time: Date())
        guard let data = try? JSONEncoder().encode(deletion) else { return }
        _ = FileManager.default.createFile(atPath: done + ".new", contents: data)
        rename(done + ".new", done)
    }

    /// Waits for a reaper that ends the server, and until it has ended.
    ///
    /// - Returns: The deletion, or `nil` when nobody has deleted anything in the time.
    func expect(for limit: Duration) async throws -> Deletion? {
        for file in [wanted, claimed, done] { unlink(file) }
        let end = ContinuousClock.now + limit
        _ = FileManager.default.createFile(atPath: wanted, contents: nil)
        while ContinuousClock.now < end, access(claimed, F_OK) != 0 { try await Task.sleep(for: .milliseconds(10)) }
        if unlink(wanted) == 0 { return nil }
        for _ in 0..<3000 where access(processFile, F_OK) == 0 { try await Task.sleep(for: .milliseconds(10)) }
        // A reaper can have been killed before it ended the server, or before it said so.
        guard access(processFile, F_OK) != 0 else { return nil }
        guard let data = FileManager.default.contents(atPath: done) else {
            return Deletion(side: 0, names: [], time: .distantPast)
        }
        return try JSONDecoder().decode(Deletion.self, from: data)
    }
}
