import Foundation
import StoredFiles
import StoredFilesTesting

/// Runs the steps, and tells for each what happened underneath.
struct Narrator {
    let database: Database
    let storages: KeyValuePairs<String, FaultyStorage>

    func step(_ title: String, _ body: () async throws -> String) async throws {
        let statements = database.statistics.statements
        let before = storages.map { $0.value.counts }
        let outcome = try await body()
        var parts = ["\(database.statistics.statements - statements) SQL"]
        for (index, entry) in storages.enumerated() {
            let operations = FaultyStorage.Operation.allCases.compactMap { operation -> String? in
                let times = entry.value.count(of: operation) - (before[index][operation] ?? 0)
                return times > 0 ? "\(times) × \(operation)" : nil
            }
            if !operations.isEmpty { parts.append("\(entry.key): \(operations.joined(separator: ", "))") }
        }
        say("• \(title)")
        say("    \(outcome)")
        say("    underneath: \(parts.joined(separator: "; "))")
    }
}

/// Prints a line at once, also into a pipe, which `print` would fill first.
func say(_ line: String) {
    FileHandle.standardOutput.write(Data("\(line)\n".utf8))
}
