import StoredFiles

/// W8: fetches n rows with a file, an image and its size as model objects.
func fetchRows(_ settings: Settings) async throws -> MeasuredLine {
    let database = try await PeerDocument.connect(settings)
    _ = try await database.all(PeerDocument.self, "LIMIT \(10)")
    var documents: [PeerDocument] = []
    let measurement = try await Measurement.of {
        documents = try await database.all(PeerDocument.self, "ORDER BY id LIMIT \(settings.n)")
    }
    try check(documents.count == settings.n, "\(documents.count) rows instead of \(settings.n)")
    let middle = documents[settings.n / 2]
    try check(middle.file?.name.string.hasSuffix("_final.pdf") == true, "the file of row \(settings.n / 2)")
    try check(middle.image?.name.string.hasSuffix(".png") == true, "the image of row \(settings.n / 2)")
    try check(middle.image?.pixelSize == PixelSize(width: 64, height: 48), "the size of row \(settings.n / 2)")
    await database.close()
    var line = MeasuredLine(measurement, settings)
    line.note = "a StorageFile and a StorageImage with its size in each row"
    return line
}
