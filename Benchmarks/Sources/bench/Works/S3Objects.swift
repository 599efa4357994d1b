import Foundation
import NIOCore
import StoragesS3
import StoredFiles

/// W3: puts n small objects.
func putSmallObjects(_ settings: Settings) async throws -> MeasuredLine {
    let storage = try settings.s3Storage()
    let prefix = "w03-stored-files-\(UUID().uuidString.lowercased())"
    let bytes = ByteBuffer(bytes: settings.randomBytes())
    let options = UploadOptions(ifExists: .replace, computesSHA256: settings.computesSHA256)
    try await warm(storage, prefix, settings)
    let measurement = try await Measurement.of {
        try await fanOut(settings) { index in
            let name = try storage.name(for: "\(prefix)/\(Settings.rawName(index))")
            _ = try await storage.upload(.buffer(bytes), to: name, options: options)
        }
    }
    let names = try await names(in: storage, prefix)
    _ = try await storage.delete(names)
    try check(names.count == settings.n + settings.concurrency, "\(names.count) objects")
    var line = MeasuredLine(measurement, settings)
    line.bytes = settings.n * settings.size
    line.note = "SHA-256 of each body in its signature"
    return line
}

/// W3: gets n small objects.
func getSmallObjects(_ settings: Settings) async throws -> MeasuredLine {
    let storage = try settings.s3Storage()
    let prefix = "w03-stored-files-\(UUID().uuidString.lowercased())"
    let bytes = ByteBuffer(bytes: settings.randomBytes())
    let options = UploadOptions(ifExists: .replace)
    try await warm(storage, prefix, settings)
    let name = try StorageName(validating: "\(prefix)/object.bin")
    _ = try await storage.upload(.buffer(bytes), to: name, options: options)
    let measurement = try await Measurement.of {
        try await fanOut(settings) { _ in
            let contents = try await storage.open(name).collect(upTo: 1 << 20)
            try check(contents.readableBytes == settings.size, "\(contents.readableBytes) bytes")
        }
    }
    _ = try await storage.delete(try await names(in: storage, prefix))
    var line = MeasuredLine(measurement, settings)
    line.bytes = settings.n * settings.size
    return line
}

/// W4: puts a large object, streamed from a file that is in the page cache.
func putLargeObject(_ settings: Settings) async throws -> MeasuredLine {
    let source = try settings.fixture("large/\(settings.size).bin")
    let storage = try settings.s3Storage()
    let prefix = "w04-stored-files-\(UUID().uuidString.lowercased())"
    try await warm(storage, prefix, settings)
    let measurement = try await Measurement.of {
        try await fanOut(settings) { index in
            let name = try StorageName(validating: "\(prefix)/big-\(index).bin")
            let options = UploadOptions(ifExists: .replace, computesSHA256: settings.computesSHA256)
            let file = try await storage.upload(.file(source), to: name, options: options)
            try check(file.byteCount == settings.size, "\(file.byteCount) bytes")
        }
    }
    _ = try await storage.delete(try await names(in: storage, prefix))
    var line = MeasuredLine(measurement, settings)
    line.bytes = settings.n * settings.size
    line.note =
        "8 MiB parts, in order for rclone, each signed over HTTP"
        + (settings.computesSHA256 ? "; SHA-256 of the whole" : "; no SHA-256 of the whole")
    return line
}

/// W4: gets a large object; the bytes are counted and dropped.
func getLargeObject(_ settings: Settings) async throws -> MeasuredLine {
    let storage = try settings.s3Storage()
    let name = try StorageName(validating: "large/256m.bin")
    let size = try await storage.info(for: name).byteCount
    let measurement = try await Measurement.of {
        try await fanOut(settings) { _ in
            var count: Int64 = 0
            for try await chunk in try await storage.open(name) { count += Int64(chunk.readableBytes) }
            try check(count == size, "\(count) bytes instead of \(size)")
        }
    }
    var line = MeasuredLine(measurement, settings)
    line.bytes = settings.n * Int(size)
    line.note = "4 MiB ranges, 4 at a time"
    return line
}

/// W5: presigns n URLs.
func presign(_ settings: Settings) async throws -> MeasuredLine {
    let storage = try settings.s3Storage { $0.urlLifetime = .seconds(3600) }
    let names = try (0..<settings.n).map { try StorageName(validating: "large/object-\($0).bin") }
    let options = URLOptions(lifetime: .seconds(3600))
    _ = try await storage.url(for: names[0], options: options)
    let measurement = try await Measurement.of {
        for name in names {
            let url = try await storage.url(for: name, options: options)
            try check(url.utf8.count > 200, url)
        }
    }
    var line = MeasuredLine(measurement, settings)
    line.note = "Signature Version 4"
    return line
}

/// Opens as many connections as there will be tasks.
private func warm(_ storage: S3Storage, _ prefix: String, _ settings: Settings) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
        for index in 0..<settings.concurrency {
            group.addTask {
                let name = try StorageName(validating: "\(prefix)/warm-\(index).bin")
                _ = try await storage.upload(.string("warm"), to: name, options: UploadOptions(ifExists: .replace))
            }
        }
        try await group.waitForAll()
    }
}

private func names(in storage: S3Storage, _ prefix: String) async throws -> [StorageName] {
    var names: [StorageName] = []
    for try await file in storage.list(prefix: prefix + "/") { names.append(file.name) }
    return names
}

extension Settings {
    /// A storage of the peers' bucket.
    fileprivate func s3Storage(_ configure: (inout S3Options) -> Void = { _ in }) throws -> S3Storage {
        var options = S3Options()
        options.server = .rclone
        configure(&options)
        let endpoint = try environment("PEERS_S3_ENDPOINT")
        return try S3Storage(
            bucketName: environment("PEERS_S3_BUCKET"),
            endpointURL: environment("PEERS_S3_HOSTPORT"),
            accessKeyID: environment("PEERS_S3_KEY"),
            secretAccessKey: environment("PEERS_S3_SECRET"),
            region: environment("PEERS_S3_REGION"),
            useSSL: endpoint.hasPrefix("https:"),
            options: options
        )
    }
}
