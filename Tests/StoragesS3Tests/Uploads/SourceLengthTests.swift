import Foundation
import NIOCore
import Storages
import StoragesS3
import StoredFilesTesting
import TestSupport
import Testing

@Suite("Sources of the wrong length", .timeLimit(.minutes(2)))
struct SourceLengthTests {
    @Test(
        "A source of the wrong length fails the upload, and nothing is stored",
        arguments: [
            (announced: 100_000, delivered: 99_999), (100_000, 100_001), (0, 1), (1, 0),
            (12 << 20, (12 << 20) - 1), (12 << 20, (12 << 20) + 1), (12 << 20, 1), (12 << 20, 7 << 20),
        ]
    )
    func fail(announced: Int, delivered: Int) async throws {
        let world = try await S3World.shared()
        try await FaultProxy.with(upstream: (world.server.host, world.server.port)) { proxy async throws in
            let storage = try world.storage(at: proxy.endpoint) {
                $0.transfers.partSize = 5 << 20
                $0.maxConnections = 2
            }
            let name = StorageName.unique()
            let bytes = TestBytes.make(delivered)
            let pieces = AsyncStream { continuation in
                var rest = bytes
                while let piece = rest.readSlice(length: min(65_536, rest.readableBytes)), piece.readableBytes > 0 {
                    continuation.yield(piece)
                }
                continuation.finish()
            }
            let code = await storageErrorCode {
                try await storage.upload(
                    .stream(pieces, length: Int64(announced)),
                    to: name,
                    options: .init(ifExists: .replace)
                )
            }
            #expect(code == .sourceFailed)
            if announced < 8 << 20 { #expect(proxy.requests.isEmpty) }
            #expect(try await !storage.exists(name))
            #expect(try await storage.abortUploads(olderThan: .distantFuture, prefix: name.string) == 0)

            // All connections serve again.
            let good = TestBytes.make(1000, seed: 1)
            for _ in 0..<4 { _ = try await storage.upload(.buffer(good), to: name, options: .init(ifExists: .replace)) }
            #expect(try await storage.open(name).collect(upTo: 1000) == good)
            // Every body that was begun was as long as its head said.
            for request in proxy.requests where request.isComplete {
                #expect(request["Content-Length"].flatMap { Int($0) } ?? 0 == request.bodyByteCount)
            }
        }
    }
}
