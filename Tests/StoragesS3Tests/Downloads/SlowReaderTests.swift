import Foundation
import NIOCore
import Storages
import StoragesS3
import StoredFilesTesting
import TestSupport
import Testing

@Suite("Slow readers", .timeLimit(.minutes(3)))
struct SlowReaderTests {
    @Test("A slow reader of 1 GiB neither makes memory grow nor counts as a stalled transfer", arguments: [1, 4])
    func memory(concurrency: Int) async throws {
        // In a process of its own: memory is the process's.
        await #expect(processExitsWith: .success) { [concurrency] in
            let size = Sanitizer.isOn ? 64 << 20 : 1 << 30
            try await GeneratedObject.with(byteCount: size) { server async throws in
                let storage = try server.storage {
                    $0.stallTimeout = .seconds(1)
                    $0.transfers.downloadConcurrency = concurrency
                    // A transfer that is taken for stalled is an error at once.
                    $0.transfers.downloadResumptions = 0
                    $0.retries = .none
                }
                let contents = try await storage.open(StorageName(validating: "file"))
                var iterator = contents.makeAsyncIterator()
                let before = try SlowReaderTests.residentBytes()
                var read = 0
                // One connection holds a mebibyte; four ranges are what `rangeSize` and `downloadConcurrency` ask for.
                let most = concurrency == 1 ? 16 << 20 : 32 << 20
                func checkMemory() throws {
                    let grown = try SlowReaderTests.residentBytes() - before
                    if !Sanitizer.isOn { #expect(grown < most, "\(grown >> 20) MiB more after \(read >> 20) MiB") }
                }
                func readOn(to goal: Int) async throws {
                    while read < goal, let chunk = try await iterator.next() {
                        #expect(chunk.readableBytesView.first == GeneratedObject.byte(at: read))
                        read += chunk.readableBytes
                    }
                    try checkMemory()
                }
                for _ in 0..<2 {
                    try await readOn(to: read + (1 << 20))
                    // Twice as long as a stall.
                    try await Task.sleep(for: .seconds(2))
                    try checkMemory()
                }
                for goal in stride(from: 16 << 20, through: size, by: 16 << 20) { try await readOn(to: goal) }
                #expect(try await iterator.next() == nil)
                #expect(read == size)
            }
        }
    }

    /// Returns the size of the process's resident memory, in bytes.
    static func residentBytes() throws -> Int {
        let text = try String(contentsOfFile: "/proc/self/statm", encoding: .ascii)
        return (text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0)
            * Int(sysconf(Int32(_SC_PAGESIZE)))
    }

    @Test("A download from a server that stalls ends with a timeout")
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
            #expect(await storageErrorCode { try await storage.open(name).collect(upTo: 1 << 20) } == .timeout)
            // Without the option it would be 30 s.
            #expect(start.duration(to: .now) < .seconds(15))
            #expect(proxy.requests.count == 1)
        }
    }

    @Test("A request to a server that does not respond ends with a timeout")
    func silence() async throws {
        // The head of the answer does not come either.
        try await SilentServer.with { server in
            let storage = try server.storage {
                $0.stallTimeout = .seconds(1)
                $0.retries = .none
            }
            let name = try StorageName(validating: "file")
            let start = ContinuousClock.now
            #expect(await storageErrorCode { try await storage.open(name) } == .timeout)
            #expect(start.duration(to: .now) < .seconds(15))
            let second = ContinuousClock.now
            let code = await storageErrorCode {
                try await storage.upload(.buffer(TestBytes.make(8 << 20)), to: name, options: .init(ifExists: .replace))
            }
            #expect(code == .timeout)
            // What the system takes of the body counts as progress for five seconds, which is how long libcurl looks
            // back.
            #expect(second.duration(to: .now) < .seconds(20))
        }
    }
}
