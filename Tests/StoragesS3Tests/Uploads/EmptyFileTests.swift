import NIOCore
import Storages
import StoragesS3
import StoredFilesTesting
import TestSupport
import Testing

@Suite("Empty files", .timeLimit(.minutes(2)))
struct EmptyFileTests {
    @Test(
        "An empty file is stored by one request, whatever its source",
        arguments: ["bytes", "stream", "stream of empty pieces", "stream of known length"]
    )
    func areStored(source: String) async throws {
        let world = try await S3World.shared()
        let upstream = (world.server.host, world.server.port)
        try await FaultProxy.with(upstream: upstream) { proxy async throws in
            let storage = try world.storage(at: proxy.endpoint)
            let name = StorageName.unique()
            let pieces = AsyncStream { continuation in
                if source == "stream of empty pieces" { for _ in 0..<3 { continuation.yield(ByteBuffer()) } }
                continuation.finish()
            }
            let body: UploadBody =
                switch source {
                case "bytes": .bytes([])
                case "stream of known length": .stream(pieces, length: 0)
                default: .stream(pieces)
                }
            let file = try await storage.upload(body, to: name, options: .init(ifExists: .replace))
            #expect(file.byteCount == 0)
            #expect(proxy.requests.map(\.method) == ["PUT"])
            #expect(proxy.requests.first?["Content-Length"] == "0")
            #expect(proxy.requests.first?["Expect"] == nil)

            #expect(try await storage.size(of: name) == 0)
            #expect(try await storage.open(name).collect(upTo: 10).readableBytes == 0)
        }
    }

    @Test(
        "An empty file has empty ranges from the start and no others",
        arguments: [
            (ByteRange.from(0), true), (.first(10), true), (.first(0), true), (.last(10), true), (.bytes(0..<10), true),
            (.from(1), false), (.bytes(1..<2), false),
        ]
    )
    func haveEmptyRanges(range: ByteRange, isGood: Bool) async throws {
        for server in [S3World.Server.swift, .rclone] {
            let storage = try await S3World.shared(server).storage()
            let name = StorageName.unique()
            _ = try await storage.upload(.bytes([]), to: name, options: .init(ifExists: .replace))
            if isGood {
                #expect(try await storage.open(name, range: range).collect(upTo: 10).readableBytes == 0)
            } else {
                #expect(await storageErrorCode { try await storage.open(name, range: range) } == .invalidRange)
            }
        }
    }
}
