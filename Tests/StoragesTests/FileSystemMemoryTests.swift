import Foundation
import NIOCore
import Storages
import Testing

#if os(Linux)
    @Suite("FileSystemStorage: memory", .serialized)
    struct FileSystemMemoryTests {
        /// The memory this process holds in RAM, in bytes.
        private func residentMemory() throws -> Int {
            let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
            let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") })
            return try #require(Int(line.filter(\.isNumber))) * 1024
        }

        @Test("1 GiB goes in and comes out unchanged in less than 32 MiB")
        func streamsAGibibyte() async throws {
            let fixture = try FileSystemFixture()
            let storage = try fixture.storage()
            let name = try StorageName(validating: "large")
            let byteCount: Int64 = 1 << 30
            // Warm: the pool's threads, the hash, the allocator's arenas.
            _ = try await storage.upload(.stream(PatternSource(byteCount: 1 << 24)), to: name, options: .init())
            for try await _ in try await storage.open(name) {}
            _ = try await storage.delete([name])

            let before = try residentMemory()
            var highest = before
            let source = PatternSource(byteCount: byteCount)
            let file = try await storage.upload(
                .stream(source, length: byteCount),
                to: name,
                options: UploadOptions(
                    progress: { [self] report in
                        if report.completedBytes % (1 << 26) == 0 {
                            let now = (try? residentMemory()) ?? .max
                            #expect(now - before < 32 << 20)
                        }
                    }
                )
            )
            #expect(file.byteCount == byteCount)

            var expected = source.makeAsyncIterator()
            var position: Int64 = 0
            for try await chunk in try await storage.open(name) {
                guard try await expected.next() == chunk else {
                    Issue.record("bytes from \(position) differ")
                    break
                }
                position += Int64(chunk.readableBytes)
                if position % (1 << 26) == 0 { highest = max(highest, try residentMemory()) }
            }
            #expect(position == byteCount)
            #expect(highest - before < 32 << 20)
        }
    }
#endif
