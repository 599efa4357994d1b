import Foundation
import NIOConcurrencyHelpers
import NIOCore
import Storages
import StoredFilesTesting
import TestSupport
import Testing

@testable import StoragesHTTP
@testable import StoragesS3

@Suite("Server restarts", .timeLimit(.minutes(8)))
struct PatienceTests {
    /// The work that is under way when the server is killed.
    enum Work: String, CaseIterable, Sendable {
        case put, parts, download, ranges, info, list, delete, deleteMany, copy, abandon

        func matches(_ request: FaultProxy.Request) -> Bool {
            switch self {
            case .put: request.method == "PUT"
            case .parts: request.method == "PUT" && request.query.hasPrefix("partNumber=2")
            case .download, .ranges, .list: request.method == "GET"
            case .info: request.method == "HEAD"
            case .delete: request.method == "DELETE"
            case .deleteMany: request.query == "delete="
            case .copy: request["x-amz-copy-source"] != nil
            case .abandon: request.isAbort
            }
        }
    }

    private static let there = StorageName(unchecked: "there")
    private static let large = StorageName(unchecked: "large")
    private static let bytes = TestBytes.make(11 << 20)

    private static func prepare(_ storage: S3Storage, _ work: Work) async throws {
        let replacing = UploadOptions(ifExists: .replace)
        if work == .abandon { _ = try await storage.begin(there, [:]) }
        for suffix in ["", "1", "2"] {
            let name = StorageName(unchecked: there.string + suffix + work.rawValue)
            _ = try await storage.upload(.string(work.rawValue), to: name, options: replacing)
        }
    }

    /// Does it, and checks what has come of it.
    private static func run(_ work: Work, _ storage: S3Storage) async throws {
        let name = StorageName(unchecked: there.string + work.rawValue)
        let others = ["1", "2"].map { StorageName(unchecked: there.string + $0 + work.rawValue) }
        let new = StorageName(unchecked: "new" + work.rawValue)
        let replacing = UploadOptions(ifExists: .replace)
        switch work {
        case .put, .parts:
            let bytes = work == .put ? ByteBuffer(string: "new") : Self.bytes
            let file = try await storage.upload(.buffer(bytes), to: new, options: replacing)
            #expect(file.byteCount == Int64(bytes.readableBytes))
            #expect(try await storage.open(new).collect(upTo: 32 << 20) == bytes)
        case .download, .ranges:
            #expect(try await storage.open(large).collect(upTo: 32 << 20) == Self.bytes)
        case .info: #expect(try await storage.size(of: name) == Int64(work.rawValue.utf8.count))
        case .list: #expect(try await storage.listedKeys(prefix: "there").contains(name.string))
        case .delete:
            try await storage.delete(name)
            #expect(try await !storage.exists(name))
        case .deleteMany:
            #expect(try await storage.delete(others).isEmpty)
            for other in others { #expect(try await !storage.exists(other)) }
        case .copy:
            _ = try await storage.copy(name, to: new, options: replacing)
            #expect(try await storage.open(new).collect(upTo: 100) == ByteBuffer(string: work.rawValue))
        case .abandon:
            try await storage.abandonUploads(of: [there])
            #expect(try await storage.abortUploads(olderThan: .distantFuture) == 0)
        }
    }

    private func with(_ body: (TemporaryS3, S3World) async throws -> Void) async throws {
        let server = try await TemporaryS3.start()
        do {
            let world = S3World(server: server, bucket: try await server.makeBucket())
            let direct = try world.storage()
            _ = try await direct.upload(.buffer(Self.bytes), to: Self.large, options: .init(ifExists: .replace))
            for work in Work.allCases { try await Self.prepare(direct, work) }
            try await body(server, world)
            await server.stop()
        } catch {
            await server.stop()
            throw error
        }
    }

    private static func patient(_ options: inout S3Options, _ work: Work) {
        options.retries = .patient
        options.transfers.partSize = 5 << 20
        options.transfers.multipartThreshold = 5 << 20
        options.transfers.rangedDownloadThreshold = 5 << 20
        options.transfers.downloadConcurrency = work == .ranges ? 3 : 1
    }

    @Test("Patient retries outlast a server restart in the middle of any request")
    func middle() async throws {
        try await with { server, world in
            try await FaultProxy.with(upstream: (server.host, server.port)) { proxy in
                for work in Work.allCases {
                    let hasCome = NIOLockedValueBox(false)
                    proxy.script { request, _ in
                        let isFirst =
                            work.matches(request)
                            && hasCome.withLockedValue { hasCome in
                                defer { hasCome = true }
                                return !hasCome
                            }
                        if isFirst, work == .download || work == .ranges { return .throttle(download: 2 << 20) }
                        return isFirst ? .delay(.milliseconds(300)) : .pass
                    }
                    let storage = try world.storage(at: proxy.endpoint) { Self.patient(&$0, work) }
                    let task = Task { try await Self.run(work, storage) }
                    try await waitUntil { hasCome.withLockedValue { $0 } }
                    try await Task.sleep(for: .milliseconds(100))
                    try await server.kill()
                    try await Task.sleep(for: .seconds(1))
                    try await server.restart()
                    do { try await task.value } catch { Issue.record("\(work): \(error)") }
                }
            }
        }
    }

    @Test("Patient retries outlast refused connections, and default retries do not")
    func refused() async throws {
        try await with { server, world in
            try await server.kill()
            for work in [Work.put, .download, .info, .list, .delete, .copy] {
                let storage = try world.storage { $0.retries = S3Retries() }
                let error = await #expect(throws: (any Error).self) { try await Self.run(work, storage) }
                #expect((error as? StorageError)?.code == .unavailable, "\(work): \(String(describing: error))")
                #expect(((error as? StorageError)?.underlying as? S3ErrorDetails)?.attempts == 5)
            }
            // One storage for all: its requests together are refused more often than the impatient have retries.
            let storage = try world.storage { Self.patient(&$0, .ranges) }
            let tokens = storage.client.retryTokens
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<20 { group.addTask { _ = try await storage.info(for: Self.large) } }
                for work in Work.allCases where work != .abandon {
                    group.addTask {
                        do { try await Self.run(work, storage) } catch { Issue.record("\(work): \(error)") }
                    }
                }
                try await Task.sleep(for: .seconds(5))
                try await server.restart()
                try await group.waitForAll()
            }
            #expect(storage.client.retryTokens == tokens)
        }
    }
}
