import Foundation
import NIOConcurrencyHelpers
import NIOCore
import Storages
import StoragesS3
import StoredFilesTesting
import Testing

@Suite("Readers that are slow", .timeLimit(.minutes(3)))
struct SlowReaderTests {
    @Test("do not make memory grow, and are not taken for a stall", arguments: [1, 4])
    func memory(concurrency: Int) async throws {
        // In a process of its own: memory is the process's.
        await #expect(processExitsWith: .success) { [concurrency] in
            try await FaultProxy.with { proxy async throws in
                let piece = TestBytes.make(1 << 20).getBytes(at: 0, length: 1 << 20) ?? []
                let size = 256 << 20
                let sent = NIOLockedValueBox(0)
                proxy.script { request, _ in
                    let range = ScriptedObject.range(request["Range"], size) ?? 0..<size
                    var answer = FaultProxy.Answer(request["Range"] == nil ? 200 : 206)
                    answer.headers = [
                        ("ETag", "\"tag\""), ("Accept-Ranges", "bytes"),
                        ("Content-Range", "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(size)"),
                    ]
                    // All ranges begin at whole pieces.
                    answer.body = (0..<(range.count >> 20)).flatMap { _ in
                        [.bytes(piece), .note { sent.withLockedValue { $0 += 1 << 20 } }]
                    }
                    return .answer(answer)
                }
                let storage = try proxy.storage {
                    $0.stallTimeout = .seconds(3)
                    $0.transfers.downloadConcurrency = concurrency
                    $0.transfers.downloadResumptions = 0
                }
                let contents = try await storage.open(StorageName(validating: "file"))
                var iterator = contents.makeAsyncIterator()
                var read = 0
                let before = try SlowReaderTests.residentBytes()
                for _ in 0..<2 {
                    // Longer than the stall timeout.
                    try await Task.sleep(for: .milliseconds(3500))
                    let grown = try SlowReaderTests.residentBytes() - before
                    if !Sanitizer.isOn { #expect(grown < 32 << 20, "\(grown >> 20) MiB more after \(read >> 20) MiB") }
                    // What the system holds for two sockets of each connection is not the reader's.
                    #expect(sent.withLockedValue { $0 } - read < (16 << 20) + concurrency * (12 << 20))
                    let goal = read + (24 << 20)
                    while read < goal, let chunk = try await iterator.next() { read += chunk.readableBytes }
                }
                while let chunk = try await iterator.next() { read += chunk.readableBytes }
                #expect(read == size)
                let grown = try SlowReaderTests.residentBytes() - before
                if !Sanitizer.isOn { #expect(grown < 32 << 20, "\(grown >> 20) MiB more at the end") }
            }
        }
    }

    /// How much memory the process has, in bytes.
    static func residentBytes() throws -> Int {
        let text = try String(contentsOfFile: "/proc/self/statm", encoding: .ascii)
        return (text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0)
            * Int(sysconf(Int32(_SC_PAGESIZE)))
    }

    @Test("are told apart from servers that stall")
    func stall() async throws {
        try await FaultProxy.with { proxy async throws in
            let object = ScriptedObject(1_000_000)
            proxy.script { request, _ in
                var answer = object.answer(to: request)
                let bytes = object.bytes.getBytes(at: 0, length: 1000) ?? []
                answer.body = [.bytes(bytes), .pause(.seconds(60))]
                answer.framing = .announced(1_000_000)
                return .answer(answer)
            }
            let storage = try proxy.storage {
                $0.stallTimeout = .seconds(1)
                $0.transfers.downloadResumptions = 0
                $0.retries = .none
            }
            let start = ContinuousClock.now
            let name = try StorageName(validating: "file")
            #expect(await StorageError.code { try await storage.open(name).collect(upTo: 1 << 20) } == .timeout)
            #expect(start.duration(to: .now) < .seconds(45))
            #expect(proxy.requests.count <= 1)
        }
    }

    @Test("are told apart from servers that do not answer")
    func silence() async throws {
        // The head of the answer does not come either.
        try await SilentServer.with { server in
            let storage = try server.storage {
                $0.stallTimeout = .seconds(1)
                $0.retries = .none
            }
            let name = try StorageName(validating: "file")
            #expect(await StorageError.code { try await storage.open(name) } == .timeout)
            let code = await StorageError.code {
                try await storage.upload(.buffer(TestBytes.make(8 << 20)), to: name, options: .init(ifExists: .replace))
            }
            #expect(code == .timeout)
        }
    }
}
