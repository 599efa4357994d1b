import Foundation
import StoredFiles

/// W6: dimensions of n images of 12 megapixels on disk (JPEG, PNG, WebP, GIF in turn), from their headers, nothing
/// cached.
func readDimensions(_ settings: Settings) async throws -> MeasuredLine {
    let storage = try FileSystemStorage(root: settings.fixture("images"))
    let list = try String(contentsOfFile: settings.fixture("images/list.txt"), encoding: .utf8)
    let images = try list.split(separator: "\n").map { path in
        try StorageFile(name: String(path.split(separator: "/").last ?? ""), in: storage)
    }
    try check(!images.isEmpty, "no images in the list")
    let prober = ImageProber(mode: .headerOnly)
    let expected = PixelSize(width: 4000, height: 3000)
    @Sendable func one(_ index: Int) async throws {
        let size = try await prober.probe(images[index % images.count]).size
        try check(size == expected, "\(size)")
    }
    for index in images.indices { try await one(index) }
    let measurement = try await Measurement.of {
        try await fanOut(settings, one)
    }
    var line = MeasuredLine(measurement, settings)
    // What an image of each format costs: extra, outside the measurement. The list has the formats in this order.
    let formats = ["jpeg", "png", "webp", "gif"]
    var costs: [String: Double] = [:]
    for (offset, format) in formats.enumerated() {
        let before = Measurement.ownCPU()
        for turn in 0..<100 { try await one(formats.count * turn + offset) }
        let after = Measurement.ownCPU()
        let cost = (after.user + after.system - before.user - before.system) * 1e4
        costs[format] = (cost * 10).rounded() / 10
    }
    line.microsecondsByFormat = costs
    line.note = "header only; ranged reads through the storage"
    return line
}
