import StoredFiles

/// W1: saves n small files through the storage; their names need sanitising and are unique after it.
func saveSmallFiles(_ settings: Settings) async throws -> MeasuredLine {
    let folder = try settings.scratchFolder()
    let storage = try settings.fileSystemStorage(at: folder)
    let bytes = settings.randomBytes()
    _ = try await storage.upload(.bytes(bytes), to: storage.name(for: "warm.txt"))
    let measurement = try await Measurement.of(flushing: folder) {
        try await fanOut(settings) { index in
            let name = try storage.name(for: Settings.rawName(index))
            let options = UploadOptions(computesSHA256: settings.computesSHA256)
            _ = try await storage.upload(.bytes(bytes), to: name, options: options)
        }
    }
    var files = 0
    for try await file in storage.list(prefix: "Quarterly") {
        files += 1
        try check(file.byteCount == settings.size, "\(file.name) has \(file.byteCount) bytes")
    }
    try check(files == settings.n, "\(files) files instead of \(settings.n)")
    var line = MeasuredLine(measurement, settings)
    line.bytes = settings.n * settings.size
    line.note = settings.durability == .fsync ? "each file on the disk when upload returns" : "not flushed"
    return line
}
