import Dispatch
import Foundation
import NIOCore
import Storages
import StoredFilesTesting
import TestSupport
import Testing

@testable import StoragesHTTP
@testable import StoragesS3

@Suite("Aborted multipart uploads", .timeLimit(.minutes(3)))
struct AbortedUploadTests {
    static let name = StorageName(unchecked: "file")

    private static func body(parts: Int) -> UploadBody {
        .buffer(ByteBuffer(repeating: 7, count: parts * 5 << 20))
    }

    private static func inParts(_ options: inout S3Options, concurrency: Int = 4) {
        options.transfers.multipartThreshold = 5 << 20
        options.transfers.partSize = 5 << 20
        options.transfers.uploadConcurrency = concurrency
    }

    /// A storage of a real server behind a proxy, and what it sends.
    private static func storage(
        _ world: S3World,
        _ proxy: FaultProxy,
        concurrency: Int = 4
    ) throws -> (storage: S3Storage, transport: RecordingTransport) {
        var options = S3Options()
        options.retries = S3Retries(baseDelay: .milliseconds(10), throttledBaseDelay: .milliseconds(50))
        inParts(&options, concurrency: concurrency)
        let setup = S3Setup(
            bucketName: world.bucket,
            endpointURL: proxy.endpoint,
            accessKeyID: world.server.accessKeyID,
            secretAccessKey: world.server.secretAccessKey,
            region: world.server.region,
            useSSL: false,
            querystringAuth: false,
            options: options
        )
        let transport = RecordingTransport(try CurlTransport(CurlSettings()))
        return (try S3Storage(setup, transport: transport), transport)
    }

    /// Checks that the upload was aborted when no part of it was on its way, and that none was sent afterwards.
    private static func expectOrder(_ transport: RecordingTransport) {
        let counts = transport.partsAtAborts
        #expect(!counts.isEmpty)
        #expect(counts.allSatisfy { $0 == 0 }, "\(counts) parts were on their way")
        #expect(transport.partsAfterAbort == 0)
    }

    private static func isPart(_ request: FaultProxy.Request, _ number: Int? = nil) -> Bool {
        request.method == "PUT" && request.query.hasPrefix("partNumber=\(number.map { "\($0)&" } ?? "")")
    }

    /// Returns the number of multipart uploads that are neither completed nor aborted.
    private static func leftovers(_ storage: S3Storage) async throws -> Int {
        var count = 0
        try await storage.forEachUpload(prefix: "") { _ in count += 1 }
        return count
    }

    @Test("A multipart upload is aborted after a part has failed and the others have ended")
    func failure() async throws {
        let world = try await S3World.make()
        try await FaultProxy.with(upstream: (world.server.host, world.server.port)) { proxy in
            let (storage, transport) = try Self.storage(world, proxy)
            proxy.script { request, _ in
                if Self.isPart(request, 3) { return ScriptedBucket.failure(403, "AccessDenied") }
                return Self.isPart(request) ? .delay(.milliseconds(200)) : .pass
            }
            let error = await #expect(throws: StorageError.self) {
                _ = try await storage.upload(
                    Self.body(parts: 10),
                    to: Self.name,
                    options: UploadOptions(ifExists: .replace)
                )
            }
            #expect(error?.code == .permissionDenied)
            #expect(proxy.requests.contains { $0.isAbort })
            #expect(transport.mostParts > 1)
            Self.expectOrder(transport)
            #expect(storage.partMemory.inUse == 0)
            proxy.script([])
            #expect(try await Self.leftovers(storage) == 0)
            #expect(try await !storage.exists(Self.name))
        }
    }

    @Test("A multipart upload is not aborted before its last part has ended")
    func patience() async throws {
        let begun = Counter()
        let transport = RecordingTransport(
            ScriptedTransport { request in
                switch request.method {
                case .post:
                    let id = "<UploadId>upload-1</UploadId>"
                    return .ok("<InitiateMultipartUploadResult>\(id)</InitiateMultipartUploadResult>")
                case .delete: return .init(status: 204, body: "")
                case .put: break
                case .get, .head: return .init(status: 404, body: ScriptedBucket.error("NoSuchUpload"))
                }
                begun.next()
                if request.url.contains("partNumber=3&") {
                    // It fails when the three others are on their way.
                    try await waitUntil { begun.value >= 4 }
                    return .init(status: 403, body: ScriptedBucket.error("AccessDenied"))
                }
                // They do not hear that they are cancelled, as bytes do not that are in the network.
                await withCheckedContinuation { continuation in
                    DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(300)) { continuation.resume() }
                }
                return .init(status: 200, body: "", headers: ["ETag": "\"e\""])
            }
        )
        let storage = try ScriptedBucket.amazon(transport) {
            Self.inParts(&$0)
            $0.integrity = .none
            $0.payloadSigning = .never
        }
        let code = await storageErrorCode {
            try await storage.upload(Self.body(parts: 6), to: Self.name, options: UploadOptions(ifExists: .replace))
        }
        #expect(code == .permissionDenied)
        #expect(begun.value == 4)
        #expect(transport.mostParts == 4)
        Self.expectOrder(transport)
        #expect(transport.partsAtAborts.count == 1)
        #expect(storage.partMemory.inUse == 0)
    }

    /// The moment at which the task of an upload is cancelled.
    enum Moment: String, CaseIterable, Sendable, CustomTestStringConvertible {
        case creation, firstPart, laterPart, completion

        var testDescription: String { rawValue }

        func matches(_ request: FaultProxy.Request) -> Bool {
            switch self {
            case .creation: request.query == "uploads=" && request.method == "POST"
            case .firstPart: isPart(request, 1)
            case .laterPart: isPart(request, 3)
            case .completion: request.method == "POST" && request.query.hasPrefix("uploadId=")
            }
        }
    }

    @Test("A multipart upload is aborted when its task is cancelled", arguments: Moment.allCases)
    func cancellation(moment: Moment) async throws {
        let world = try await S3World.make()
        try await FaultProxy.with(upstream: (world.server.host, world.server.port)) { proxy in
            let (storage, transport) = try Self.storage(world, proxy, concurrency: 2)
            let task = Task {
                try await storage.upload(Self.body(parts: 4), to: Self.name, options: UploadOptions(ifExists: .replace))
            }
            proxy.script { request, _ in
                guard moment.matches(request) else { return .pass }
                task.cancel()
                return .delay(.milliseconds(50))
            }
            await #expect(throws: CancellationError.self) { _ = try await task.value }
            proxy.script([])
            #expect(proxy.requests.contains { $0.isAbort })
            Self.expectOrder(transport)
            #expect(try await Self.leftovers(storage) == 0)
            #expect(storage.partMemory.inUse == 0)
        }
    }

    @Test("A multipart upload is aborted when its source is shorter than announced")
    func source() async throws {
        let world = try await S3World.make()
        try await FaultProxy.with(upstream: (world.server.host, world.server.port)) { proxy in
            let (storage, transport) = try Self.storage(world, proxy)
            let chunks = AsyncStream<ByteBuffer> { continuation in
                for _ in 0..<11 { continuation.yield(ByteBuffer(repeating: 7, count: 1 << 20)) }
                continuation.finish()
            }
            let error = await #expect(throws: StorageError.self) {
                let body = UploadBody.stream(chunks, length: 15 << 20)
                _ = try await storage.upload(body, to: Self.name, options: UploadOptions(ifExists: .replace))
            }
            #expect(error?.code == .sourceFailed)
            Self.expectOrder(transport)
            #expect(try await Self.leftovers(storage) == 0)
        }
    }

    @Test("Multipart uploads of a process that died are abandoned by name and aborted by age")
    func abandoned() async throws {
        let world = try await S3World.make()
        let storage = try world.storage()
        let other = StorageName(unchecked: "file2")
        for name in [Self.name, Self.name, other] { _ = try await storage.begin(name, [:]) }
        #expect(try await Self.leftovers(storage) == 3)
        // Those of names that merely begin so are left alone.
        try await storage.abandonUploads(of: [Self.name, StorageName(unchecked: "nobody")])
        #expect(try await Self.leftovers(storage) == 1)
        #expect(try await storage.abortUploads(olderThan: Date(timeIntervalSinceNow: -3600)) == 0)
        #expect(try await storage.abortUploads(olderThan: Date(timeIntervalSinceNow: 3600), prefix: "x") == 0)
        #expect(try await storage.abortUploads(olderThan: Date(timeIntervalSinceNow: 3600)) == 1)
        #expect(try await Self.leftovers(storage) == 0)
    }

    @Test(
        "Only multipart uploads of the given names are abandoned among more than a page",
        arguments: [S3World.Server.swift, .seaweed]
    )
    func manyOfEveryScript(server: S3World.Server) async throws {
        let storage = try await S3World.make(server).storage()
        let scripts = ["Ярлык", "日本 語", "a b+c", "100%", "50%25", "עברית", "é", "🐈", "x&y=<z>"]
        // A page has 1,000 uploads.
        let names = (0..<1010).map { StorageName(unchecked: "\($0 % 3)/\(scripts[$0 % scripts.count]) \($0)") }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for first in 0..<8 {
                group.addTask {
                    for index in stride(from: first, to: names.count, by: 8) {
                        _ = try await storage.begin(names[index], [:])
                    }
                }
            }
            try await group.waitForAll()
        }
        let before = try await Self.leftovers(storage)
        #expect(before == names.count)
        let chosen = [names[0], names[500]] + names.suffix(30)
        try await storage.abandonUploads(of: chosen)
        let after = try await Self.leftovers(storage)
        #expect(after == names.count - chosen.count)
    }

    @Test("Abandoning uploads succeeds on a server that does not list them")
    func rclone() async throws {
        let storage = try await S3World.make(.rclone).storage()
        _ = try await storage.begin(Self.name, [:])
        try await storage.abandonUploads(of: [Self.name])
        _ = try await storage.abortUploads(olderThan: Date(timeIntervalSinceNow: 3600))
        #expect(try await Self.leftovers(storage) == 0)
    }

    @Test("A multipart upload is aborted by keys that may not list its parts")
    func noListing() async throws {
        try await FaultProxy.with { proxy in
            proxy.script { request, _ in
                request.method == "GET" ? ScriptedBucket.failure(403, "AccessDenied") : MultipartScript.answer(request)
            }
            let storage = try ScriptedBucket.storage(proxy)
            try await storage.abort("file", uploadID: "upload-1")
            #expect(proxy.requests.map(\.method) == ["DELETE", "GET"])
        }
    }
}
