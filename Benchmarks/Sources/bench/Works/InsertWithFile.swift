import StoredFiles

/// W10: n rows, each with a file stored and the INSERT committed, as one operation.
func insertWithFile(_ settings: Settings) async throws -> MeasuredLine {
    let folder = try settings.scratchFolder()
    let storage = try settings.fileSystemStorage(at: folder)
    let database = try await Database.connect(
        settings.conninfo(),
        storages: StorageRegistry([.documents: storage]),
        configuration: DatabaseConfiguration(poolSize: settings.concurrency)
    )
    _ = try await database.execute("TRUNCATE peer_ins RESTART IDENTITY")
    _ = try await database.execute("CHECKPOINT")
    let bytes = settings.randomBytes()
    @Sendable func one(_ index: Int, title: String) async throws {
        var row = PeerInsert(title: title)
        row.file = try await database.store(
            .bytes(bytes),
            named: Settings.rawName(index),
            for: \PeerInsert.$file
        )
        try await database.insert(&row)
    }
    try await database.openConnections(settings.concurrency) { try await one(1_000_000 + $0, title: "warm") }
    let measurement = try await Measurement.of(flushing: folder) {
        try await fanOut(settings) { try await one($0, title: "a title") }
    }
    let counted = try await database.query(
        "SELECT count(*) AS rows, count(DISTINCT file) AS files FROM peer_ins WHERE title = \("a title")"
    )
    let rows = try counted.first?.decode(Int64.self, named: "rows")
    let files = try counted.first?.decode(Int64.self, named: "files")
    try check(
        rows == Int64(settings.n) && files == Int64(settings.n),
        "\(rows ?? 0) rows with \(files ?? 0) files instead of \(settings.n)"
    )
    await database.close()
    var line = MeasuredLine(measurement, settings)
    line.bytes = settings.n * settings.size
    line.note = settings.durability == .fsync ? "each file on the disk before its row" : "files not flushed"
    return line
}
