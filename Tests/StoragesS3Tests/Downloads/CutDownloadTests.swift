import NIOCore
import Storages
import StoragesS3
import StoredFilesTesting
import TestSupport
import Testing

@Suite("Interrupted downloads", .timeLimit(.minutes(5)))
struct CutDownloadTests {
    private static let size = (8 << 20) + 100_003

    @Test(
        "An interrupted download continues where it ended",
        arguments: [1, 8 << 20, size - 1],
        [FaultProxy.Manner.close, .reset]
    )
    func goOn(place: Int, manner: FaultProxy.Manner) async throws {
        let world = try await S3World.shared()
        let name = StorageName.unique()
        let bytes = TestBytes.make(Self.size)
        let file = try await world.storage { $0.transfers.multipartThreshold = 16 << 20 }
            .upload(.buffer(bytes), to: name, options: .init(ifExists: .replace))
        try await FaultProxy.with(upstream: (world.server.host, world.server.port)) { proxy async throws in
            let storage = try world.storage(at: proxy.endpoint)
            proxy.script([.cut(.afterAnswerBody(bytes: place), manner)])
            #expect(try await storage.open(name).collect(upTo: Self.size) == bytes)
            let requests = proxy.requests
            #expect(requests.count == 2)
            let tag = try #require(file.entityTag)
            #expect(requests.last?["If-Match"] == tag)
            let range = ScriptedObject.range(requests.last?["Range"], Self.size)
            // What a reset connection had not delivered is lost.
            if manner == .close { #expect(range == place..<Self.size) } else { #expect(range?.upperBound == Self.size) }
        }
    }

    @Test("Interrupted downloads of ranges continue, one or several at a time", arguments: [1, 4])
    func ranges(concurrency: Int) async throws {
        try await FaultProxy.with { proxy async throws in
            let object = ScriptedObject(6 << 20)
            proxy.script { request, index in
                let answer = object.answer(to: request)
                return .answer(index % 3 == 0 ? answer.cut(after: 100_000) : answer)
            }
            let storage = try proxy.storage {
                $0.transfers.downloadConcurrency = concurrency
                $0.transfers.rangedDownloadThreshold = 1 << 20
                $0.transfers.rangeSize = 1 << 20
            }
            let name = try StorageName(validating: "file")
            #expect(try await storage.open(name).collect(upTo: 8 << 20) == object.bytes)
            let range = ByteRange.bytes(1_000_001..<5_000_003)
            let expected = object.bytes.getSlice(at: 1_000_001, length: 4_000_002)
            #expect(try await storage.open(name, range: range).collect(upTo: 8 << 20) == expected)
        }
    }

    @Test("An interrupted download continues on a server that ignores ranges")
    func withoutRanges() async throws {
        try await FaultProxy.with { proxy async throws in
            let object = ScriptedObject(1_000_000)
            proxy.script { _, index in .answer(index == 0 ? object.whole.cut(after: 600_001) : object.whole) }
            let storage = try proxy.storage()
            let name = try StorageName(validating: "file")
            #expect(try await storage.open(name).collect(upTo: 1 << 20) == object.bytes)
            #expect(proxy.requests.count == 2)
        }
    }

    @Test("A download that is interrupted again and again fails after the allowed resumptions")
    func budget() async throws {
        try await FaultProxy.with { proxy async throws in
            let object = ScriptedObject(1_000_000)
            proxy.script { request, _ in .answer(object.answer(to: request).cut(after: 10)) }
            let storage = try proxy.storage { $0.transfers.downloadResumptions = 3 }
            let name = try StorageName(validating: "file")
            let code = await storageErrorCode { try await storage.open(name).collect(upTo: 1 << 20) }
            #expect(code == .unavailable)
            #expect(proxy.requests.count == 4)
        }
    }

    @Test("An interrupted download does not continue with another version", arguments: Change.allCases)
    func changed(change: Change) async throws {
        try await FaultProxy.with { proxy async throws in
            let object = ScriptedObject(1_000_000)
            proxy.script { request, index in
                .answer(index == 0 ? object.whole.cut(after: 600_001) : change.answer(object, request))
            }
            let storage = try proxy.storage()
            let name = try StorageName(validating: "file")
            var received = ByteBuffer()
            let error = await #expect(throws: StorageError.self) {
                for try await var chunk in try await storage.open(name) { received.writeBuffer(&chunk) }
            }
            #expect(error?.code == .changedDuringRead)
            // Not a byte of another version came.
            #expect(received == object.bytes.getSlice(at: 0, length: received.readableBytes))
            #expect(received.readableBytes <= 600_001)
            #expect(proxy.requests.count == 2)
        }
    }

    enum Change: String, CaseIterable, Sendable {
        case refused, ignoringTheCondition, ignoringConditionAndRange, gone, shorter, anotherPart, withoutTag

        func answer(_ object: ScriptedObject, _ request: FaultProxy.Request) -> FaultProxy.Answer {
            var other = object
            other.bytes = TestBytes.make(1_000_000, seed: 1)
            other.tag = "\"second\""
            switch self {
            case .refused: return .error(412, "PreconditionFailed")
            case .ignoringTheCondition: return other.answer(to: request)
            case .ignoringConditionAndRange: return other.whole
            case .gone: return .error(404, "NoSuchKey")
            case .shorter: return .error(416, "InvalidRange")
            case .anotherPart: return object.part(700_000..<1_000_000)
            case .withoutTag:
                other.tag = nil
                return other.answer(to: request)
            }
        }
    }

    @Test("An interrupted download does not continue without a strong entity tag", arguments: [nil, "W/\"weak\""])
    func withoutStrongTag(tag: String?) async throws {
        try await FaultProxy.with { proxy async throws in
            let object = ScriptedObject(1_000_000, tag: tag)
            proxy.script { _, index in .answer(index == 0 ? object.whole.cut(after: 600_001) : object.whole) }
            let storage = try proxy.storage()
            let name = try StorageName(validating: "file")
            let code = await storageErrorCode { try await storage.open(name).collect(upTo: 1 << 20) }
            #expect(code == .unavailable)
            #expect(proxy.requests.count == 1)
        }
    }
}
