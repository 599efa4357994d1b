import NIOConcurrencyHelpers
import NIOCore
import Storages
import StoredFilesTesting
import TestSupport
import Testing

@testable import StoragesHTTP
@testable import StoragesS3

@Suite("Parts of uploads", .timeLimit(.minutes(2)))
struct PartPlanTests {
    private func plan(_ length: Int64?, _ transfers: S3Transfers = S3Transfers(), maxParts: Int = 10_000) throws
        -> PartPlan
    {
        var profile = EndpointProfile()
        profile.maxParts = maxParts
        return try PartPlan(length, transfers, profile)
    }

    @Test(
        "Parts are as few and as small as the limits allow, and all of one size",
        arguments: [
            (80 << 30, 10_000, 9 << 20), ((80 << 30) + 1, 10_000, 9 << 20), (9 << 20, 10_000, 8 << 20),
            (((8 << 20) * 10_000), 10_000, 8 << 20),
            (((8 << 20) * 10_000) + 1, 10_000, 9 << 20), (80 << 30, 1000, 82 << 20), (5 << 40, 10_000, 525 << 20),
            (50_000_000_000_000, 10_000, 4769 << 20),
        ] as [(Int64, Int, Int64)]
    )
    func sizes(length: Int64, maxParts: Int, expected: Int64) throws {
        let plan = try plan(length, maxParts: maxParts)
        #expect(plan.partSize == expected)
        #expect(plan.firstSize == plan.partSize)
        let count = (length + plan.partSize - 1) / plan.partSize
        #expect(count <= maxParts)
        #expect(plan.partSize % (1 << 20) == 0)
    }

    @Test("Parts of an upload have at most 5 GiB")
    func bounds() throws {
        #expect(try plan((5 << 30) * 10_000).partSize == 5 << 30)
        let error = #expect(throws: StorageError.self) { try plan((5 << 30) * 10_000 + 1) }
        #expect(error?.code == .tooLarge)
        #expect(throws: StorageError.self) { try plan(.max) }
    }

    @Test("An upload of unknown length has its own part size, and a small file is one request")
    func unknown() throws {
        #expect(try plan(nil).partSize == 16 << 20)
        #expect(try plan(8 << 20).firstSize == 8 << 20)
        #expect(try plan(0).firstSize == 1)
        #expect(try plan(1).firstSize == 1)
    }

    @Test("An upload of unknown length is aborted when it needs too many parts")
    func tooMany() async throws {
        try await FaultProxy.with { proxy in
            proxy.script { request, _ in MultipartScript.answer(request) }
            let storage = try ScriptedBucket.storage(proxy) {
                $0.server = .generic
                $0.server.maxParts = 2
                $0.transfers.partSizeOfUnknownLength = 5 << 20
            }
            let chunks = AsyncStream<ByteBuffer> { continuation in
                for _ in 0..<11 { continuation.yield(ByteBuffer(repeating: 7, count: 1 << 20)) }
                continuation.finish()
            }
            let error = await #expect(throws: StorageError.self) {
                let options = UploadOptions(ifExists: .replace)
                _ = try await storage.upload(.stream(chunks), to: StorageName(unchecked: "file"), options: options)
            }
            #expect(error?.code == .tooLarge)
            #expect(proxy.requests.contains { $0.method == "DELETE" })
            #expect(storage.partMemory.inUse == 0)
        }
    }

    @Test("Parts that finish out of order are assembled in the order of their numbers")
    func order() async throws {
        let world = try await S3World.make()
        try await FaultProxy.with(upstream: (world.server.host, world.server.port)) { proxy in
            let storage = try world.storage(at: proxy.endpoint) {
                $0.transfers.multipartThreshold = 5 << 20
                $0.transfers.partSize = 5 << 20
            }
            proxy.script { request, _ in
                request.query.hasPrefix("partNumber=1&") ? .delay(.milliseconds(300)) : .pass
            }
            var body = ByteBuffer()
            for part in 0..<3 { body.writeRepeatingByte(UInt8(part), count: 5 << 20) }
            body.writeString("end")
            let name = StorageName(unchecked: "file")
            let file = try await storage.upload(.buffer(body), to: name, options: UploadOptions(ifExists: .replace))
            #expect(file.byteCount == Int64(body.readableBytes))
            var read = ByteBuffer()
            for try await var chunk in try await storage.open(name) { read.writeBuffer(&chunk) }
            #expect(read == body)
        }
    }

    @Test("All concurrent uploads together stay within the memory budget", arguments: [false, true])
    func memory(inParts: Bool) async throws {
        let budget = inParts ? 12 << 20 : 4 << 20
        let running = NIOLockedValueBox((now: 0, most: 0))
        let isBelowHalf = { @Sendable in running.withLockedValue { $0.most <= budget / 2 } }
        let transport = ScriptedTransport { request in
            if request.method == .put {
                running.withLockedValue {
                    $0.now += request.body.byteCount
                    $0.most = max($0.most, $0.now)
                }
                repeat { try await Task.sleep(for: .milliseconds(2)) } while isBelowHalf()
                running.withLockedValue { $0.now -= request.body.byteCount }
                return .init(status: 200, body: "", headers: ["ETag": "\"e\""])
            }
            return .ok(
                "<Result><UploadId>u</UploadId><ETag>\"e\"</ETag></Result>".replacing(
                    "Result",
                    with: request.url.contains("uploads=")
                        ? "InitiateMultipartUploadResult" : "CompleteMultipartUploadResult"
                )
            )
        }
        let storage = try ScriptedBucket.amazon(transport) {
            $0.transfers.memoryBudget = budget
            $0.transfers.multipartThreshold = inParts ? 5 << 20 : 8 << 20
            $0.transfers.partSize = 5 << 20
            $0.payloadSigning = .never
            $0.integrity = .none
        }
        let size = inParts ? 11 << 20 : 1 << 20
        let source = ByteBuffer(repeating: 7, count: size)
        try await withThrowingTaskGroup { group in
            for number in 0..<12 {
                // The first fit in beside each other. The others come when those have what they need.
                let isFirst = inParts ? number < 1 : number < 3
                group.addTask {
                    if !isFirst { try await waitUntil { !isBelowHalf() } }
                    let name = StorageName(unchecked: "file-\(number)")
                    _ = try await storage.upload(.buffer(source), to: name, options: UploadOptions(ifExists: .replace))
                }
            }
            try await group.waitForAll()
        }
        // The first bytes of an upload do not count.
        #expect(running.withLockedValue { $0.most } <= budget + 12 * PartMemory.freeShare)
        #expect(running.withLockedValue { $0.most } > budget / 2)
        #expect(storage.partMemory.inUse == 0)
    }
}
