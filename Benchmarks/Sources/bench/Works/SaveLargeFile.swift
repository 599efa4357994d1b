import Foundation
import StoredFiles

/// W2 and W13: saves one large file, streamed from a file that is in the page cache.
func saveLargeFile(_ settings: Settings) async throws -> MeasuredLine {
    let source = try settings.fixture("large/\(settings.size).bin")
    try readThrough(source, expecting: settings.size)
    let folder = try settings.scratchFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let storage = try settings.fileSystemStorage(at: folder)
    let measurement = try await Measurement.of(flushing: folder) {
        try await fanOut(settings) { index in
            let options = UploadOptions(computesSHA256: settings.computesSHA256)
            _ = try await storage.upload(.file(source), to: storage.name(for: "big_\(index).bin"), options: options)
        }
    }
    for index in 0..<settings.n {
        let size = try await storage.size(of: storage.name(for: "big_\(index).bin"))
        try check(size == settings.size, "\(size) bytes instead of \(settings.size)")
    }
    var line = MeasuredLine(measurement, settings)
    line.bytes = settings.n * settings.size
    line.note = settings.durability == .fsync ? "on the disk when upload returns" : "not flushed"
    return line
}

/// Reads a fixture once, so that the page cache holds it.
private func readThrough(_ path: String, expecting size: Int) throws {
    guard let file = FileHandle(forReadingAtPath: path) else {
        throw BenchError("\(path) is missing: run setup.sh WORKDIR fixtures of the peers")
    }
    defer { try? file.close() }
    var count = 0
    while let chunk = try file.read(upToCount: 4 << 20), !chunk.isEmpty { count += chunk.count }
    try check(count == size, "\(path) has \(count) bytes")
}
