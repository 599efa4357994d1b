import Foundation
import StoredFiles

/// W12: n names through the rules for names.
func sanitizeNames(_ settings: Settings) async throws -> MeasuredLine {
    let storage = try settings.fileSystemStorage(at: settings.scratchFolder())
    let list = try String(contentsOfFile: settings.fixture("names.txt"), encoding: .utf8)
    let fixture = list.split(separator: "\n", omittingEmptySubsequences: true).map(String.init)
    try check(!fixture.isEmpty, "no names in the list")
    let names = (0..<settings.n).map { fixture[$0 % fixture.count] }
    _ = try? storage.name(for: names[0])
    var refused = 0
    var bytes = 0
    let measurement = try await Measurement.of {
        for name in names {
            do {
                bytes += try storage.name(for: name).string.utf8.count
            } catch {
                refused += 1
            }
        }
    }
    try check(bytes > 0, "no name was accepted")
    var line = MeasuredLine(measurement, settings)
    line.refused = refused
    line.note = "NFC, Unicode letters kept; refuses names that leave their folder"
    return line
}
