import StoredFiles

/// W9: n gets by primary key.
func getRows(_ settings: Settings) async throws -> MeasuredLine {
    let rows = 100_000
    let database = try await PeerDocument.connect(settings)
    @Sendable func one(_ index: Int) async throws {
        let id = Int64(1 + (index * 7919) % rows)
        let document = try await database.find(PeerDocument.self, id)
        try check(document?.file != nil && document?.image != nil, "row \(id)")
    }
    try await database.openConnections(settings.concurrency, one)
    let measurement = try await Measurement.of {
        // As a server would handle requests that do little more than query.
        try await withTaskExecutorPreference(database.executor) {
            try await fanOut(settings, one)
        }
    }
    await database.close()
    var line = MeasuredLine(measurement, settings)
    line.note = "autocommit: one SELECT, prepared, binary; tasks run on the connections' thread"
    return line
}
