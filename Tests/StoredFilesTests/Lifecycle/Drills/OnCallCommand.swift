// The command of BACKUPS.md, word for word between the marks: ReadmeTests compares the text, and the drills run it.
// README: begin
import Foundation
import StoredFiles

/// `app files COMMAND STORAGE`, for whoever is on call: give your server's program such a command before you need it.
func files(
    _ command: String,
    _ storage: StorageID,
    names: [String] = [],
    in database: Database
) async throws -> String {
    switch command {
    case "adopt":
        try await database.adopt(storage)
        return "This database decides about \(storage) now."
    case "check", "mend":
        var lines: [String] = []
        // After a restore nothing is being uploaded, so young objects count, too; on a day like any other leave that
        // out.
        let configuration = FsckConfiguration(repairs: command == "mend", minimumAge: .zero)
        let found = try await database.fsck(storage, configuration) { lines.append("\($0)") }
        lines.append("\(found.objects) objects, \(found.orphans) orphans, \(found.danglingRows) dangling rows")
        return lines.joined(separator: "\n")
    case "pardon":
        let count = try await database.pardon(names.map(StorageName.init(validating:)), in: storage)
        return "\(count) names can be used again."
    default:
        return "app files adopt|check|mend|pardon STORAGE"
    }
}
// README: end
