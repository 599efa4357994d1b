import Foundation
import NIOConcurrencyHelpers
import NIOCore
import Storages
import StoragesS3
import StoredFilesTesting
import TestSupport
import Testing

@Suite("Cancellation of tasks", .timeLimit(.minutes(4)))
struct CancellationTests {
    private let name = StorageName(unchecked: "file")
    private let replacing = UploadOptions(ifExists: .replace)

    /// Cancels some work when it has come so far, and checks that it ends with that.
    private func cancel(
        when isReady: @escaping @Sendable () -> Bool,
        _ work: @escaping @Sendable () async throws -> Void
    ) async throws {
        let task = Task { try await work() }
        try await waitUntil { isReady() }
        // From here it can only wait.
        try await Task.sleep(for: .milliseconds(20))
        let start = ContinuousClock.now
        task.cancel()
        // Whatever it waits for takes 20 s or more.
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(start.duration(to: .now) < .seconds(15))
    }

    @Test("A task that is cancelled before it begins opens no connection")
    func before() async throws {
        try await FaultProxy.with { proxy async throws in
            let storage = try proxy.storage()
            let task = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                _ = try await storage.info(for: name)
            }
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(proxy.connections.isEmpty)
        }
    }

    @Test("A task that waits for a connection can be cancelled without affecting the others")
    func gate() async throws {
        try await FaultProxy.with { proxy async throws in
            let object = ScriptedObject(1000)
            proxy.script { request, index in
                var answer = object.answer(to: request)
                if index == 0 { answer.body.insert(.pause(.milliseconds(400)), at: 0) }
                return .answer(answer)
            }
            let storage = try proxy.storage { $0.maxConnections = 1 }
            async let first = storage.open(name).collect(upTo: 1000)
            try await waitUntil { !proxy.requests.isEmpty }
            try await cancel(when: { true }) { _ = try await storage.info(for: name) }
            #expect(try await first == object.bytes)
            #expect(proxy.requests.count == 1)
            #expect(try await storage.open(name).collect(upTo: 1000) == object.bytes)
        }
    }

    @Test("A task can be cancelled during the TLS handshake")
    func connecting() async throws {
        try await SilentServer.with { server in
            // The TLS handshake never ends.
            let storage = try server.storage(useSSL: true)
            try await cancel(when: { server.connectionCount > 0 }) { _ = try await storage.info(for: name) }
        }
    }

    @Test("A task can be cancelled during an upload", arguments: [100_000, 4 << 20])
    func uploading(count: Int) async throws {
        try await SilentServer.with { server in
            let storage = try server.storage()
            try await cancel(when: { server.connectionCount > 0 }) {
                _ = try await storage.upload(.buffer(TestBytes.make(count)), to: name, options: replacing)
            }
        }
    }

    @Test("A task can be cancelled while it waits for a response")
    func waiting() async throws {
        let world = try await S3World.shared()
        let name = StorageName.unique()
        try await FaultProxy.with(upstream: (world.server.host, world.server.port)) { proxy async throws in
            let storage = try world.storage(at: proxy.endpoint)
            for operation in ["GET", "HEAD", "PUT", "DELETE"] {
                proxy.script { _, index in index == 0 ? .delay(.seconds(60)) : .pass }
                let before = proxy.requests.count
                try await cancel(when: { proxy.requests.count > before }) {
                    switch operation {
                    case "GET": _ = try await storage.open(name)
                    case "HEAD": _ = try await storage.info(for: name)
                    case "PUT": _ = try await storage.upload(.string("x"), to: name, options: replacing)
                    default: try await storage.delete(name)
                    }
                }
                #expect(try await !storage.exists(name))
            }
        }
    }

    @Test("A task can be cancelled while it reads a download")
    func reading() async throws {
        try await FaultProxy.with { proxy async throws in
            let object = ScriptedObject(1_000_000)
            proxy.script { request, index in
                guard index == 0 else { return .answer(object.answer(to: request)) }
                var answer = object.whole.framed(.announced(1_000_000))
                answer.body = [.bytes(object.bytes.getBytes(at: 0, length: 1000) ?? []), .pause(.seconds(60))]
                return .answer(answer)
            }
            let storage = try proxy.storage()
            let hasBytes = NIOLockedValueBox(false)
            try await cancel(when: { hasBytes.withLockedValue { $0 } }) {
                for try await _ in try await storage.open(name) { hasBytes.withLockedValue { $0 = true } }
            }
            #expect(try await storage.open(name).collect(upTo: 1 << 20) == object.bytes)
        }
    }

    @Test("A task can be cancelled while it waits for a retry")
    func retrying() async throws {
        try await FaultProxy.with { proxy async throws in
            proxy.script { _, _ in .answer(.init(503, headers: [("Retry-After", "20")])) }
            let storage = try proxy.storage { $0.retries.maxDelay = .seconds(20) }
            try await cancel(when: { proxy.requests.count == 1 }) { _ = try await storage.info(for: name) }
            #expect(proxy.requests.count == 1)
        }
    }

    @Test("An upload that is cancelled at any step leaves no multipart upload on the server", arguments: Step.allCases)
    func parts(step: Step) async throws {
        let world = try await S3World.shared()
        let name = StorageName.unique()
        try await FaultProxy.with(upstream: (world.server.host, world.server.port)) { proxy async throws in
            let storage = try world.storage(at: proxy.endpoint) { $0.transfers.partSize = 5 << 20 }
            let isThere = NIOLockedValueBox(false)
            proxy.script { request, _ in
                guard step.matches(request), !isThere.withLockedValue({ $0 }) else { return .pass }
                isThere.withLockedValue { $0 = true }
                return .delay(.milliseconds(300))
            }
            let bytes = TestBytes.make(12 << 20)
            let task = Task { try await storage.upload(.buffer(bytes), to: name, options: replacing) }
            try await waitUntil { isThere.withLockedValue { $0 } }
            task.cancel()
            let direct = try world.storage()
            await #expect(throws: CancellationError.self) { try await task.value }
            // Until what was on its way has arrived.
            try await Task.sleep(for: .milliseconds(500))
            #expect(try await direct.abortUploads(olderThan: .distantFuture, prefix: name.string) == 0)
            if step != .complete { #expect(try await !direct.exists(name)) }
        }
    }

    enum Step: String, CaseIterable, Sendable {
        case create, firstPart, lastPart, complete

        func matches(_ request: FaultProxy.Request) -> Bool {
            switch self {
            case .create: request.method == "POST" && request.query == "uploads="
            case .firstPart: request.query.contains("partNumber=1&")
            case .lastPart: request.query.contains("partNumber=3&")
            case .complete: request.method == "POST" && request.query.hasPrefix("uploadId=")
            }
        }
    }

    @Test("Tasks cancelled at random moments leave whole files or none, and a working storage")
    func anyMoment() async throws {
        let world = try await S3World.make()
        let storage = try world.storage {
            $0.maxConnections = 4
            $0.transfers.partSize = 5 << 20
            $0.transfers.multipartThreshold = 5 << 20
        }
        let small = TestBytes.make(30_000, seed: 1)
        let large = TestBytes.make((5 << 20) + 1, seed: 2)
        let stored = StorageName(unchecked: "stored")
        _ = try await storage.upload(.buffer(large), to: stored, options: replacing)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for round in 0..<200 {
                if round >= 8 { try await group.next() }
                group.addTask {
                    let task = Task {
                        switch round % 10 {
                        case 0:
                            _ = try await storage.upload(
                                .buffer(large),
                                to: StorageName(unchecked: "large-\(round)"),
                                options: .init(ifExists: .replace)
                            )
                        case 1, 2, 3: #expect(try await storage.open(stored).collect(upTo: 8 << 20) == large)
                        case 4: #expect(try await storage.size(of: stored) == Int64(large.readableBytes))
                        case 5: for try await _ in storage.list() {}
                        default:
                            _ = try await storage.upload(
                                .buffer(small),
                                to: StorageName(unchecked: "small-\(round)"),
                                options: .init(ifExists: .replace)
                            )
                        }
                    }
                    try await Task.sleep(for: .microseconds(Int.random(in: 0...60_000)))
                    task.cancel()
                    do {
                        try await task.value
                    } catch is CancellationError {
                        // What was expected, but for work that was faster.
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try await storage.abortUploads(olderThan: .distantFuture) == 0)
        for try await file in storage.list() where file.name != stored {
            let expected = file.name.string.hasPrefix("large") ? large : small
            #expect(try await storage.open(file.name).collect(upTo: 8 << 20) == expected)
        }
        #expect(try await storage.open(stored).collect(upTo: 8 << 20) == large)
    }
}
