import NIOConcurrencyHelpers
import NIOCore
import Platform
import Storages
import TestSupport
import Testing

@testable import StoragesHTTP
@testable import StoragesS3

@Suite("Unread downloads", .timeLimit(.minutes(5)))
struct UnreadDownloadTests {
    private static let replace = UploadOptions(ifExists: .replace)

    @Test("Open downloads that nobody reads block no other request and can be read later", arguments: [false, true])
    func manyOpen(isBegun: Bool) async throws {
        let storage = try await S3World.make(.seaweed).storage {
            $0.maxConnections = 64
            if isBegun {
                $0.transfers.rangedDownloadThreshold = 1 << 20
                $0.transfers.rangeSize = 1 << 20
            }
        }
        let large = TestBytes.make((3 << 20) + 5)
        let name = StorageName(unchecked: "large")
        _ = try await storage.upload(.buffer(large), to: name, options: Self.replace)
        var open: [(chunks: StoredContents.AsyncIterator, read: ByteBuffer)] = []
        for _ in 0..<64 {
            var chunks = try await storage.open(name).makeAsyncIterator()
            let read = isBegun ? try await chunks.next() : nil
            open.append((chunks, read ?? ByteBuffer()))
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for lane in 0..<20 {
                group.addTask {
                    for number in stride(from: lane, to: 200, by: 20) {
                        let bytes = TestBytes.make(10_000 + number, seed: number)
                        let name = StorageName(unchecked: "small/\(number)")
                        _ = try await storage.upload(.buffer(bytes), to: name, options: Self.replace)
                        #expect(try await storage.open(name).collect(upTo: 1 << 20) == bytes)
                    }
                }
            }
            try await group.waitForAll()
        }
        for index in open.indices {
            while let chunk = try await open[index].chunks.next() { open[index].read.writeImmutableBuffer(chunk) }
            #expect(open[index].read == large)
        }
    }

    @Test("A copy through this process needs one connection and the memory of one part")
    func copyThroughProcess() async throws {
        let storage = try await S3World.make(.seaweed).storage {
            $0.maxConnections = 1
            $0.transfers.memoryBudget = 5 << 20
            $0.transfers.partSize = 5 << 20
            $0.transfers.multipartThreshold = 5 << 20
        }
        let bytes = TestBytes.make(12 << 20)
        let source = StorageName(unchecked: "source")
        _ = try await storage.upload(.buffer(bytes), to: source, options: Self.replace)
        // As a server that cannot make a copy depend on the absence of its destination, but can so for uploads.
        storage.assume {
            $0.copy = .unsupported
            $0.complete.absence = .ifNoneMatch
        }
        let copy = try await storage.copy(
            source,
            to: StorageName(unchecked: "copy"),
            options: UploadOptions(ifExists: .fail)
        )
        #expect(copy.byteCount == 12 << 20)
        #expect(copy.sha256 != nil, "the bytes have passed through here")
        #expect(try await storage.open(copy.name).collect(upTo: 16 << 20) == bytes)
        #expect(storage.partMemory.inUse == 0)
    }

    @Test("An unread download keeps its connection only if it could not be resumed", arguments: ["", "W/"])
    func weakTag(prefix: String) async throws {
        try await FaultProxy.with { proxy async throws in
            let object = ScriptedObject(3 << 20, tag: "\(prefix)\"first\"")
            proxy.script { request, _ in .answer(object.answer(to: request)) }
            let storage = try proxy.storage {
                $0.maxConnections = 1
                $0.transfers.waitLimit = prefix.isEmpty ? .seconds(600) : .seconds(3)
            }
            let name = StorageName(unchecked: "file")
            let contents = try await storage.open(name)
            let beginning = OpenOptions(range: .first(5))
            if prefix.isEmpty {
                let bytes = try await storage.open(name, options: beginning).collect(upTo: 5)
                #expect(bytes.readableBytes == 5)
            } else {
                let error = await #expect(throws: StorageError.self) {
                    _ = try await storage.open(name, options: beginning)
                }
                #expect(error?.code == .timeout)
                #expect(error?.message.contains("maxConnections") == true)
            }
            #expect(try await contents.collect(upTo: 4 << 20) == object.bytes)
        }
    }

    @Test("A task that waits for the connection of an unread download can be cancelled")
    func cancellation() async throws {
        try await FaultProxy.with { proxy async throws in
            let object = ScriptedObject(3 << 20, tag: nil)
            proxy.script { request, _ in .answer(object.answer(to: request)) }
            let transport = try CurlTransport(CurlSettings(), concurrency: 1)
            let storage = try S3Storage(ScriptedBucket.setup(endpoint: proxy.endpoint), transport: transport)
            let name = StorageName(unchecked: "file")
            let contents = try await storage.open(name)
            let waits = Task { _ = try await storage.open(name) }
            try await waitUntil { transport.semaphore.waiterCount == 1 }
            waits.cancel()
            await #expect(throws: CancellationError.self) { try await waits.value }
            #expect(transport.semaphore.waiterCount == 0)
            #expect(try await contents.collect(upTo: 4 << 20) == object.bytes)
            #expect(proxy.requests.count == 1)
        }
    }
}
