import Dispatch
import Foundation
import NIOConcurrencyHelpers
import NIOCore
import Storages
import TestSupport
import Testing

@testable import StorageImages

/// Wherever a probe is when its task is cancelled, it ends, and gives back all that it had.
@Suite struct CancellationTests {
    private static let memory: Int64 = 64 << 20

    /// A decoder of one thread, whose decodes wait for a signal each.
    private struct Gate {
        let decoder: ImageDecoder
        let semaphore = DispatchSemaphore(value: 0)
        let begun: NIOLockedValueBox<Int>

        init(maxWaiting: Int = 256, waitTimeout: Duration = .seconds(60)) throws {
            let begun = NIOLockedValueBox(0)
            var configuration = ImageDecoder.Configuration()
            configuration.memory = CancellationTests.memory
            configuration.threads = 1
            configuration.maxWaiting = maxWaiting
            configuration.waitTimeout = waitTimeout
            configuration.willDecode = { [semaphore] in
                begun.withLockedValue { $0 += 1 }
                semaphore.wait()
            }
            decoder = try ImageDecoder(configuration)
            self.begun = begun
        }

        var prober: ImageProber { ImageProber(decoder: decoder) }
        var isWhole: Bool { decoder.freeMemory == CancellationTests.memory }
    }

    private let bytes: [UInt8]

    init() throws {
        bytes = try HeaderFixture.bytes("cat.jpg")
    }

    @Test("A probe that is cancelled between two chunks reads no further")
    func aProbeIsCancelledBetweenChunks() async throws {
        let decoder = ImageDecoder()
        for cut in [0, 1, 5] {
            let storage = CountingStorage(chunk: 4096) { chunk in
                if chunk == cut { withUnsafeCurrentTask { $0?.cancel() } }
            }
            let file = try await storage.put(bytes, "cat.jpg")
            let task = Task { try await ImageProber(decoder: decoder).probe(file) }
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(storage.counts.bytes <= (cut + 1) * 4096)
            #expect(try await eventually { decoder.freeMemory == ImageDecoder.Configuration().memory })
        }
    }

    @Test("A probe that is cancelled while it waits for memory leaves the queue")
    func aProbeIsCancelledWhileItWaitsForMemory() async throws {
        let gate = try Gate()
        let header = try #require(HeaderFixture.ranged(bytes).header)
        let all = try await gate.decoder.admit(header, byteCount: 63 << 20, hasSeveralScans: false)
        try #require(all == nil)
        var most = try await gate.decoder.admit(header, byteCount: 59 << 20, hasSeveralScans: false)
        try #require(most != nil)
        let storage = CountingStorage()
        let file = try await storage.put(bytes, "cat.jpg")
        let flights = ProbeFlights()
        let task = Task {
            try await flights.verdict(for: file, prober: gate.prober, recorder: nil, memory: ProbeMemory())
        }
        #expect(try await eventually { gate.decoder.waitingCount == 1 })
        #expect(flights.count == 1)
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(try await eventually { flights.count == 0 && gate.decoder.waitingCount == 0 })
        withExtendedLifetime(most) {}
        most = nil
        #expect(try await eventually { gate.isWhole })
    }

    @Test("A probe that is cancelled while it waits for a thread returns its memory at once")
    func aProbeIsCancelledWhileItWaitsForAThread() async throws {
        let gate = try Gate()
        let first = Task { [bytes] in try await gate.prober.probe(bytes: bytes) }
        #expect(try await eventually { gate.begun.withLockedValue { $0 } == 1 })
        let free = gate.decoder.freeMemory
        let second = Task { [bytes] in try await gate.prober.probe(bytes: bytes) }
        #expect(try await eventually { gate.decoder.queuedCount == 1 })
        second.cancel()
        await #expect(throws: CancellationError.self) { try await second.value }
        // The thread is still busy with the first, but what the second had is there again.
        #expect(try await eventually { gate.decoder.freeMemory == free && gate.decoder.queuedCount == 0 })
        gate.semaphore.signal()
        #expect(try await first.value.isVerified)
        #expect(try await eventually { gate.isWhole })
    }

    @Test("A probe that is cancelled during a decode returns its result and frees the memory")
    func aDecodeThatHasBegunIsNotCancelled() async throws {
        let gate = try Gate()
        let task = Task { [bytes] in try await gate.prober.probe(bytes: bytes) }
        #expect(try await eventually { gate.begun.withLockedValue { $0 } == 1 })
        task.cancel()
        #expect(!gate.isWhole)
        gate.semaphore.signal()
        // libgd cannot be stopped; what it found out is not thrown away.
        #expect(try await task.value.isVerified)
        #expect(try await eventually { gate.isWhole })
    }

    @Test("The queue for a decoding thread has a limit and a timeout")
    func theNumberAndTheTimeOfWaitsForAThreadAreBounded() async throws {
        for (maxWaiting, waitTimeout) in [(1, Duration.seconds(60)), (256, .milliseconds(20))] {
            let gate = try Gate(maxWaiting: maxWaiting, waitTimeout: waitTimeout)
            let first = Task { [bytes] in try await gate.prober.probe(bytes: bytes) }
            #expect(try await eventually { gate.begun.withLockedValue { $0 } == 1 })
            let second = Task { [bytes] in try await gate.prober.probe(bytes: bytes) }
            if maxWaiting == 1 {
                #expect(try await eventually { gate.decoder.queuedCount == 1 })
                let third = await #expect(throws: ImageError.self) { try await gate.prober.probe(bytes: bytes) }
                #expect(third?.code == .busy)
                second.cancel()
                await #expect(throws: CancellationError.self) { try await second.value }
            } else {
                let error = await #expect(throws: ImageError.self) { try await second.value }
                #expect(error?.code == .busy)
            }
            gate.semaphore.signal()
            #expect(try await first.value.isVerified)
            #expect(try await eventually { gate.isWhole })
        }
    }

    #if os(Linux)
        @Test("A decode never runs on the threads of Swift concurrency")
        func aDecodeNeverRunsOnTheThreadsOfSwiftsConcurrency() async throws {
            let names = NIOLockedValueBox<[String]>([])
            var configuration = ImageDecoder.Configuration()
            configuration.willDecode = {
                let text = (try? String(contentsOfFile: "/proc/thread-self/comm", encoding: .utf8)) ?? ""
                names.withLockedValue { $0.append(text) }
            }
            let prober = ImageProber(decoder: try ImageDecoder(configuration))
            for name in ["cat.jpg", "rgb.png", "plain.gif", "lossy.webp", "info24.bmp"] {
                #expect(try await prober.probe(bytes: try HeaderFixture.bytes(name)).isVerified)
            }
            // The threads of NIO's pools are called so.
            #expect(names.withLockedValue { $0 }.count == 5)
            #expect(names.withLockedValue { $0 }.allSatisfy { $0.hasPrefix("TP-#") })
        }
    #endif

    private final class SlowRecorder: ImageSizeRecorder {
        private let state = NIOLockedValueBox<(CheckedContinuation<Void, Never>?, isDone: Bool, wasCancelled: Bool)>(
            (nil, false, false)
        )
        var isRecording: Bool { state.withLockedValue { $0.0 != nil } }
        var isDone: Bool { state.withLockedValue { $0.isDone } }
        var wasCancelled: Bool { state.withLockedValue { $0.wasCancelled } }

        func finish() { state.withLockedValue { $0.0.take() }?.resume() }

        func recordSize(_ size: StorageImage.SizeState, of name: StorageName) async {
            await withCheckedContinuation { continuation in
                state.withLockedValue { $0.0 = continuation }
            }
            state.withLockedValue { ($0.isDone, $0.wasCancelled) = (true, Task.isCancelled) }
        }
    }

    @Test("A probe that is cancelled while its size is recorded still records it")
    func theSizeIsRecordedAlthoughTheCallerIsCancelled() async throws {
        let storage = CountingStorage()
        let file = try await storage.put(bytes, "cat.jpg")
        let flights = ProbeFlights()
        let recorder = SlowRecorder()
        let memory = ProbeMemory()
        let decoder = ImageDecoder()
        let task = Task {
            try await flights.verdict(
                for: file,
                prober: ImageProber(decoder: decoder),
                recorder: recorder,
                memory: memory
            )
        }
        #expect(try await eventually { recorder.isRecording })
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        // The size is known and is written down all the same.
        #expect(memory.verdict?.recorded == .known(PixelSize(width: 1200, height: 800)))
        recorder.finish()
        #expect(try await eventually { flights.count == 0 && recorder.isDone })
        #expect(!recorder.wasCancelled)
        #expect(try await eventually { decoder.freeMemory == ImageDecoder.Configuration().memory })
    }

    @Test("An upload that is cancelled in its last step frees the retained bytes")
    func anUploadIsCancelledInItsLastStep() async throws {
        let gate = try Gate()
        let first = Task { [bytes] in try await gate.prober.probe(bytes: bytes) }
        #expect(try await eventually { gate.begun.withLockedValue { $0 } == 1 })
        let free = gate.decoder.freeMemory
        let retained = RetainedBytes(bound: 1 << 30)
        let inspector = ImageUploadInspector(prober: gate.prober, maxRetained: .max, retained: retained)
        try inspector.consume(ByteBuffer(bytes: bytes))
        #expect(retained.count == bytes.count)
        let task = Task { [count = Int64(bytes.count)] in try await inspector.finish(byteCount: count) }
        #expect(try await eventually { gate.decoder.queuedCount == 1 })
        #expect(retained.count == bytes.count)
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(try await eventually { retained.count == 0 && gate.decoder.freeMemory == free })
        gate.semaphore.signal()
        _ = try await first.value
    }

    #if os(Linux)
        @Test("Cancelled probes leave no file descriptor open")
        func noDescriptorStaysOpen() async throws {
            await #expect(processExitsWith: .success) {
                let root = FileManager.default.temporaryDirectory.appending(path: "probe-\(UUID().uuidString)")
                defer { try? FileManager.default.removeItem(at: root) }
                try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
                let storage = try FileSystemStorage(root: root.path, durability: .none)
                let name = try StorageName(validating: "large.jpg")
                // Larger than what a storage reads at once, so that a descriptor is open meanwhile.
                let bytes = JPEGBuilder(comments: 40).bytes()
                _ = try await storage.upload(.bytes(bytes), to: name)
                let file = StorageFile(name: name, in: storage)
                let prober = ImageProber(decoder: ImageDecoder())
                _ = try await prober.probe(file)
                @Sendable func descriptors() -> Int {
                    (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? .max
                }
                // The first timer of a process opens descriptors of its own.
                try await Task.sleep(for: .milliseconds(1))
                let before = descriptors()
                for round in 0..<200 {
                    let task = Task { try await prober.probe(file) }
                    for _ in 0..<round % 40 { await Task.yield() }
                    task.cancel()
                    _ = try? await task.value
                }
                #expect(try await eventually { descriptors() <= before })
                #expect(try await eventually { prober.decoder.freeMemory == ImageDecoder.Configuration().memory })
            }
        }
    #endif
}
