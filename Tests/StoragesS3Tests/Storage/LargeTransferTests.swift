import Foundation
import NIOConcurrencyHelpers
import NIOCore
import Storages
import StoredFilesTesting
import Testing

@testable import StoragesHTTP
@testable import StoragesS3

/// Much, and many; each in a process of its own, whose memory it measures.
@Suite("Large and many files on S3", .timeLimit(.minutes(10)))
struct LargeTransferTests {
    #if os(Linux)
        @Test(
            "2 GiB are uploaded and downloaded unchanged in less than 64 MiB of memory",
            .disabled(if: Sanitizer.isOn, "a sanitizer takes memory of its own")
        )
        func twoGibibytes() async throws {
            await #expect(processExitsWith: .success) {
                let world = try await S3World.make(.rclone)
                let storage = try world.storage()
                let name = try StorageName(validating: "large.bin")
                // Warm: threads, connections, the allocator's arenas.
                _ = try await storage.upload(.stream(Pattern(byteCount: 64 << 20), length: 64 << 20), to: name)
                for try await _ in try await storage.open(name) {}
                try await storage.delete(name)

                let before = try resident()
                let byteCount: Int64 = 2 << 30
                let source = Pattern(byteCount: byteCount)
                let options = UploadOptions(
                    ifExists: .replace,
                    progress: { _ in #expect(((try? resident()) ?? .max) - before < 64 << 20) }
                )
                let file = try await storage.upload(.stream(source, length: byteCount), to: name, options: options)
                #expect(file.byteCount == byteCount)

                let hasher = try SHA256Hasher()
                var position: Int64 = 0
                for try await chunk in try await storage.open(name) {
                    hasher.update(chunk)
                    position += Int64(chunk.readableBytes)
                    if position % (64 << 20) < 256 << 10 { #expect(try resident() - before < 64 << 20) }
                }
                #expect(position == byteCount)
                #expect(try hasher.finish() == file.sha256)
            }
        }

        @Test(
            "8 concurrent uploads of unknown length stay within their common memory budget",
            .disabled(if: Sanitizer.isOn, "a sanitizer takes memory of its own")
        )
        func manyAtOnce() async throws {
            await #expect(processExitsWith: .success) {
                let storage = try await S3World.make(.rclone).storage { $0.transfers.memoryBudget = 32 << 20 }
                let size: Int64 = 64 << 20
                // Warm, as above.
                _ = try await storage.upload(
                    .stream(Pattern(byteCount: 32 << 20)),
                    to: StorageName(validating: "warm.bin"),
                    options: UploadOptions(ifExists: .replace)
                )

                let before = try resident()
                let seen = NIOLockedValueBox((most: 0, count: 0))
                let watch = Task {
                    while !Task.isCancelled {
                        let now = try resident()
                        seen.withLockedValue { $0 = (max($0.most, now), $0.count + 1) }
                        try await Task.sleep(for: .milliseconds(5))
                    }
                }
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for number in 0..<8 {
                        group.addTask {
                            let file = try await storage.upload(
                                .stream(Pattern(byteCount: size)),
                                to: StorageName(validating: "many-\(number).bin"),
                                options: UploadOptions(ifExists: .replace)
                            )
                            #expect(file.byteCount == size)
                        }
                    }
                    try await group.waitForAll()
                }
                watch.cancel()
                let (most, count) = seen.withLockedValue { $0 }
                // Two parts of 16 MiB at a time; without the budget each file alone would have as many.
                #expect(most - before < (32 << 20) + (64 << 20), "\((most - before) >> 20) MiB more")
                #expect(count > 10, "nobody has looked")
                #expect(storage.partMemory.inUse == 0)
                for number in 0..<8 {
                    #expect(try await storage.size(of: StorageName(validating: "many-\(number).bin")) == size)
                }
            }
        }
    #endif

    @Test("10,000 small files are stored and read, 64 at a time, without a failed request")
    func tenThousand() async throws {
        let storage = try await S3World.make(.rclone).storage { $0.retries = .none }
        try await inLanes(64, count: 10_000) { number in
            let name = try StorageName(validating: "small/\(number % 100)/\(number).txt")
            let text = "file \(number)"
            _ = try await storage.upload(.string(text), to: name, options: UploadOptions(ifExists: .replace))
            let read = try await storage.open(name).collect(upTo: 100)
            #expect(String(buffer: read) == text)
        }
        var count = 0
        for try await _ in storage.list(prefix: "small/") { count += 1 }
        #expect(count == 10_000)
    }

    private func inLanes(
        _ lanes: Int,
        count: Int,
        _ work: @escaping @Sendable (Int) async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for lane in 0..<lanes {
                group.addTask {
                    for number in stride(from: lane, to: count, by: lanes) { try await work(number) }
                }
            }
            try await group.waitForAll()
        }
    }
}

#if os(Linux)
    private func resident() throws -> Int {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") })
        return try #require(Int(line.filter(\.isNumber))) * 1024
    }
#endif

/// Bytes that repeat with a period that no part size divides, made as they are asked for.
private struct Pattern: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    let byteCount: Int64
    private static let chunk = ByteBuffer(bytes: (0..<262_139).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) })

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(left: byteCount) }

    struct AsyncIterator: AsyncIteratorProtocol {
        var left: Int64

        mutating func next() async -> ByteBuffer? {
            guard left > 0 else { return nil }
            let count = Int(Swift.min(left, Int64(Pattern.chunk.readableBytes)))
            left -= Int64(count)
            // In memory of their own, as bytes are that come from somewhere: slices of one buffer would weigh nothing.
            var bytes = ByteBufferAllocator().buffer(capacity: count)
            if let slice = Pattern.chunk.getSlice(at: 0, length: count) { bytes.writeImmutableBuffer(slice) }
            return bytes
        }
    }
}
