/// The line that a work prints; the keys are those of the peers' lines.
struct MeasuredLine: Encodable {
    let measurement: Measurement
    var n: Int
    var concurrency: Int
    /// Bytes that the whole work moved.
    var bytes: Int?
    var refused: Int?
    var microsecondsByFormat: [String: Double]?
    var note: String?

    init(_ measurement: Measurement, _ settings: Settings) {
        self.measurement = measurement
        n = settings.n
        concurrency = settings.concurrency
    }

    private enum CodingKeys: String, CodingKey {
        case n, concurrency, refused, note
        case wall = "wall_s"
        case user = "cpu_user_s"
        case system = "cpu_sys_s"
        case peakResident = "peak_rss_kb"
        case baseResident = "rss_base_kb"
        case flush = "flush_s"
        case server = "server_cpu_s"
        case other = "other_cpu_s"
        case steal = "steal_s"
        case operationsPerSecond = "ops_per_s"
        case megabytesPerSecond = "mb_per_s"
        case microsecondsByFormat = "cpu_us_by_format"
    }

    func encode(to encoder: any Encoder) throws {
        var line = encoder.container(keyedBy: CodingKeys.self)
        try line.encode(n, forKey: .n)
        try line.encode(concurrency, forKey: .concurrency)
        try line.encode(rounded(measurement.wall), forKey: .wall)
        try line.encode(rounded(measurement.user), forKey: .user)
        try line.encode(rounded(measurement.system), forKey: .system)
        try line.encodeIfPresent(measurement.peakResident, forKey: .peakResident)
        try line.encodeIfPresent(measurement.baseResident, forKey: .baseResident)
        try line.encodeIfPresent(measurement.flush.map(rounded), forKey: .flush)
        try line.encodeIfPresent(measurement.server.map(rounded), forKey: .server)
        try line.encodeIfPresent(measurement.other.map(rounded), forKey: .other)
        try line.encodeIfPresent(measurement.steal.map(rounded), forKey: .steal)
        try line.encode(rounded(Double(n) / measurement.wall), forKey: .operationsPerSecond)
        if let bytes {
            try line.encode(rounded(Double(bytes) / 1_048_576 / measurement.wall), forKey: .megabytesPerSecond)
        }
        try line.encodeIfPresent(refused, forKey: .refused)
        try line.encodeIfPresent(microsecondsByFormat, forKey: .microsecondsByFormat)
        try line.encodeIfPresent(note, forKey: .note)
    }
    /// To a microsecond: what is behind it is noise.
    private func rounded(_ value: Double) -> Double {
        (value * 1e6).rounded() / 1e6
    }
}
