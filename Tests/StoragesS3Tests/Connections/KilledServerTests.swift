import Foundation
import NIOConcurrencyHelpers
import NIOCore
import Storages
import StoragesS3
import StoredFilesTesting
import TestSupport
import Testing

@Suite("Servers that are killed", .timeLimit(.minutes(4)))
struct KilledServerTests {
    private let name = StorageName(unchecked: "file")

    private func with(
        _ work: (TemporaryS3, S3Storage) async throws -> Void
    ) async throws {
        let server = try await TemporaryS3.start()
        do {
            let world = S3World(server: server, bucket: try await server.makeBucket())
            let storage = try world.storage {
                $0.transfers.partSize = 5 << 20
                $0.retries = S3Retries(maxAttempts: 40, baseDelay: .milliseconds(300), maxDelay: .seconds(1))
            }
            try await work(server, storage)
            await server.stop()
        } catch {
            await server.stop()
            throw error
        }
    }

    @Test("An upload leaves a whole file or none when the server is killed meanwhile", arguments: [3 << 20, 24 << 20])
    func upload(count: Int) async throws {
        try await with { server, storage async throws in
            let bytes = TestBytes.make(count)
            let hasBegun = NIOLockedValueBox(false)
            let pieces = AsyncStream { continuation in
                var rest = bytes
                while let piece = rest.readSlice(length: min(262_144, rest.readableBytes)), piece.readableBytes > 0 {
                    continuation.yield(piece)
                }
                continuation.finish()
            }
            let options = UploadOptions(
                ifExists: .replace,
                progress: { _ in hasBegun.withLockedValue { $0 = true } },
                tap: { _ in if count <= 8 << 20 { hasBegun.withLockedValue { $0 = true } } }
            )
            let task = Task {
                try await storage.upload(.stream(pieces, length: Int64(count)), to: name, options: options)
            }
            try await waitUntil { hasBegun.withLockedValue { $0 } }
            try await server.kill()
            try await server.restart()
            var isStored: Bool?
            do {
                let file = try await task.value
                #expect(file.byteCount == Int64(count))
                isStored = true
            } catch let error as StorageError {
                #expect([.unavailable, .outcomeUnknown, .timeout].contains(error.code), "\(error)")
            }
            var files: [FileInfo] = []
            for try await file in storage.list() { files.append(file) }
            if isStored == true { #expect(files.count == 1) }
            for file in files {
                #expect(file.name == name)
                #expect(file.byteCount == Int64(count))
                #expect(try await storage.open(name).collect(upTo: 32 << 20) == bytes)
            }
            try await storage.abortUploads(olderThan: .distantFuture)
            #expect(try await storage.abortUploads(olderThan: .distantFuture) == 0)
        }
    }

    @Test("A download gives the right bytes or an error when the server is killed meanwhile", arguments: [1, 4])
    func download(concurrency: Int) async throws {
        try await with { server, storage async throws in
            let bytes = TestBytes.make(24 << 20)
            _ = try await storage.upload(.buffer(bytes), to: name, options: .init(ifExists: .replace))
            let world = S3World(server: server, bucket: storage.bucketName)
            let reader = try world.storage {
                $0.transfers.downloadConcurrency = concurrency
                $0.retries = S3Retries(maxAttempts: 40, baseDelay: .milliseconds(300), maxDelay: .seconds(1))
            }
            var received = ByteBuffer()
            do {
                var isKilled = false
                for try await var chunk in try await reader.open(name) {
                    received.writeBuffer(&chunk)
                    guard !isKilled else { continue }
                    isKilled = true
                    try await server.kill()
                    try await server.restart()
                }
                #expect(received.readableBytes == bytes.readableBytes)
            } catch let error as StorageError {
                #expect([.unavailable, .timeout].contains(error.code), "\(error)")
            }
            #expect(received == bytes.getSlice(at: 0, length: received.readableBytes))
            #expect(try await reader.open(name).collect(upTo: 32 << 20) == bytes)
        }
    }
}
