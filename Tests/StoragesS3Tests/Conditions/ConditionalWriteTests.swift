import Foundation
import NIOConcurrencyHelpers
import NIOCore
import Storages
import StoredFilesTesting
import TestSupport
import Testing

@testable import StoragesS3

@Suite("Conditional writes", .timeLimit(.minutes(2)))
struct ConditionalWriteTests {
    static let name = StorageName(unchecked: "file")

    /// The treatment of `If-None-Match` by a scripted server.
    enum Attitude: Sendable {
        case honours, ignores, refuses, doesNotKnow
    }

    /// Keeps which objects there are.
    private static func script(_ attitude: Attitude, conflicts: Int = 0) -> FaultProxy.Script {
        let objects = NIOLockedValueBox<Set<String>>([])
        let left = NIOLockedValueBox(conflicts)
        return { request, _ in
            let isComplete = request.method == "POST" && request.query.hasPrefix("uploadId=")
            guard request.method == "PUT" && request.query.isEmpty || isComplete else {
                if request.method == "HEAD", !objects.withLockedValue({ $0.contains(request.path) }) {
                    return ScriptedBucket.answer(404)
                }
                if request.query == "delete=" { return ScriptedBucket.failure(501, "NotImplemented") }
                return MultipartScript.answer(request)
            }
            if request["If-None-Match"] != nil {
                switch attitude {
                case .refuses: return ScriptedBucket.failure(412, "PreconditionFailed")
                case .doesNotKnow: return ScriptedBucket.failure(501, "NotImplemented")
                case .ignores: break
                case .honours:
                    let isConflict = left.withLockedValue { left in
                        defer { left = max(0, left - 1) }
                        return left > 0
                    }
                    if isConflict { return ScriptedBucket.failure(409, "ConditionalRequestConflict") }
                    let isNew = objects.withLockedValue { $0.insert(request.path).inserted }
                    if !isNew { return ScriptedBucket.failure(412, "PreconditionFailed") }
                }
            }
            objects.withLockedValue { _ = $0.insert(request.path) }
            if request["x-amz-copy-source"] != nil {
                return ScriptedBucket.answer(200, "<CopyObjectResult><ETag>\"e\"</ETag></CopyObjectResult>")
            }
            return MultipartScript.answer(request)
        }
    }

    @Test("Exactly one of 50 conditional uploads wins, even when the server reports conflicts", arguments: [0, 20])
    func race(conflicts: Int) async throws {
        try await FaultProxy.with { proxy in
            proxy.script(Self.script(.honours, conflicts: conflicts))
            let storage = try ScriptedBucket.storage(proxy) { $0.server.conditionalWrites = true }
            let won = Counter()
            await withTaskGroup { group in
                for _ in 0..<50 {
                    group.addTask {
                        do {
                            let options = UploadOptions(ifExists: .fail)
                            _ = try await storage.upload(.string("x"), to: Self.name, options: options)
                            won.next()
                        } catch let error as StorageError where error.code == .alreadyExists {
                            // Somebody else has won.
                        } catch {
                            Issue.record(error)
                        }
                    }
                }
            }
            #expect(won.value == 1)
            #expect(proxy.requests.count { $0.method == "PUT" } == 50 + conflicts)
        }
    }

    // MARK: A real server that looks and writes at once

    /// Has some write the same thing at the same time.
    ///
    /// - Parameters:
    ///   - count: How many.
    ///   - write: Gets the number of the writer.
    /// - Returns: The numbers of those who were not told that a file is there.
    private static func winners(
        of count: Int,
        _ write: @escaping @Sendable (Int) async throws -> Void
    ) async -> [Int] {
        await withTaskGroup(of: Int?.self) { group in
            for number in 0..<count {
                group.addTask {
                    do {
                        try await write(number)
                        return number
                    } catch let error as StorageError where error.code == .alreadyExists {
                        return nil
                    } catch {
                        Issue.record(error)
                        return nil
                    }
                }
            }
            var winners: [Int] = []
            for await number in group {
                if let number { winners.append(number) }
            }
            return winners
        }
    }

    private static let fail = UploadOptions(ifExists: .fail)

    @Test("Exactly one of 8 concurrent uploads wins and keeps its bytes in 20 rounds on SeaweedFS")
    func realUploads() async throws {
        let storage = try await S3World.make(.seaweed).storage()
        try await storage.probeConditionalWrites()
        for round in 1...20 {
            let name = try StorageName(validating: "uploads/\(round)")
            let winners = await Self.winners(of: 8) { number in
                _ = try await storage.upload(.string("\(number)"), to: name, options: Self.fail)
            }
            let contents = try await storage.open(name).collect(upTo: 10)
            #expect(winners.map { ByteBuffer(string: "\($0)") } == [contents], "round \(round)")
        }
    }

    @Test("Exactly one of 8 concurrent copies wins and keeps its bytes in 20 rounds on SeaweedFS")
    func realCopies() async throws {
        let storage = try await S3World.make(.seaweed).storage()
        #expect(try await storage.probeConditionalWrites().contains(.conditionalUpload))
        #expect(storage.conditions.withLockedValue { $0.writes.copy.isSupported })
        let sources = try (0..<8).map { try StorageName(validating: "sources/\($0)") }
        for (number, source) in sources.enumerated() {
            _ = try await storage.upload(.string("\(number)"), to: source, options: Self.fail)
        }
        for round in 1...20 {
            let name = try StorageName(validating: "copies/\(round)")
            let winners = await Self.winners(of: 8) { number in
                _ = try await storage.copy(sources[number], to: name, options: Self.fail)
            }
            let contents = try await storage.open(name).collect(upTo: 10)
            #expect(winners.map { ByteBuffer(string: "\($0)") } == [contents], "round \(round)")
        }
    }

    /// A storage of SeaweedFS that believes in the condition at the end of an upload in parts.
    private static func storageInParts() async throws -> S3Storage {
        let storage = try await S3World.make(.seaweed).storage {
            $0.transfers.multipartThreshold = 5 << 20
            $0.transfers.partSize = 5 << 20
        }
        storage.assume { $0.complete.absence = .ifNoneMatch }
        return storage
    }

    @Test("A conditional multipart upload to a taken name leaves nothing behind on SeaweedFS")
    func realParts() async throws {
        let storage = try await Self.storageInParts()
        let first = TestBytes.make(6 << 20, seed: 1)
        _ = try await storage.upload(.buffer(first), to: Self.name, options: Self.fail)
        let error = await storageError {
            try await storage.upload(.buffer(TestBytes.make(6 << 20, seed: 2)), to: Self.name, options: Self.fail)
        }
        #expect(error?.code == .alreadyExists)
        #expect(try await storage.open(Self.name).collect(upTo: 6 << 20) == first)
        #expect(try await storage.abortUploads(olderThan: .distantFuture) == 0)
        let renamed = try await storage.upload(.buffer(first), to: Self.name)
        #expect(renamed.name != Self.name)
    }

    @Test("A conditional multipart upload to SeaweedFS is refused, before and after a trial")
    func knownParts() async throws {
        let storage = try await S3World.make(.seaweed).storage {
            $0.transfers.multipartThreshold = 5 << 20
            $0.transfers.partSize = 5 << 20
        }
        for _ in 1...2 {
            let error = await storageError {
                try await storage.upload(.buffer(TestBytes.make(6 << 20, seed: 1)), to: Self.name, options: Self.fail)
            }
            #expect(error?.code == .unsupported)
            try await storage.probeConditionalWrites()
        }
        #expect(try await storage.listedKeys(prefix: "").isEmpty)
    }

    @Test("Concurrent multipart uploads to one name never mix their bytes in 5 rounds on SeaweedFS")
    func realPartsAtOnce() async throws {
        let storage = try await Self.storageInParts()
        let bodies = (0..<4).map { TestBytes.make(6 << 20, seed: $0) }
        for round in 1...5 {
            let name = try StorageName(validating: "parts/\(round)")
            let winners = await Self.winners(of: 4) { number in
                _ = try await storage.upload(.buffer(bodies[number]), to: name, options: Self.fail)
            }
            let contents = try await storage.open(name).collect(upTo: 6 << 20)
            #expect(winners.contains { bodies[$0] == contents }, "round \(round): \(winners)")
            let gap: Comment =
                "SeaweedFS looks whether the object is there before it puts the parts together, and not again"
            withKnownIssue(gap, isIntermittent: true) { #expect(winners.count == 1) }
        }
        #expect(try await storage.abortUploads(olderThan: .distantFuture) == 0)
    }

    // MARK: Servers that do not

    @Test("A conditional upload to a server known to ignore conditions is refused before it is sent")
    func unsupported() async throws {
        let world = try await S3World.make(.rclone)
        try await FaultProxy.with(upstream: (world.server.host, world.server.port)) { proxy in
            let storage = try world.storage(at: proxy.endpoint)
            let error = await #expect(throws: StorageError.self) {
                _ = try await storage.upload(.string("x"), to: Self.name, options: UploadOptions(ifExists: .fail))
            }
            #expect(error?.code == .unsupported)
            #expect(proxy.requests.isEmpty)
            #expect(!storage.capabilities.contains(.conditionalUpload))
        }
    }

    @Test(
        "A conditional read of a missing file or of another version fails with the matching error",
        arguments: [404, 412, 304]
    )
    func missing(status: Int) async throws {
        try await FaultProxy.with { proxy in
            proxy.script { _, _ in ScriptedBucket.answer(status) }
            let storage = try ScriptedBucket.storage(proxy)
            let error = await #expect(throws: StorageError.self) {
                _ = try await storage.open(Self.name, options: OpenOptions(ifMatch: "\"e\""))
            }
            // A reader is told that nothing is there; a version is what is missing only where something is.
            #expect(error?.code == (status == 404 ? .notFound : .preconditionFailed))
        }
    }

    // MARK: Trying a server out

    @Test(
        "A trial finds out whether a server honours conditions, and deletes what it wrote",
        arguments: [(.honours, true), (.ignores, false), (.refuses, false), (.doesNotKnow, false)] as [(Attitude, Bool)]
    )
    func probe(attitude: Attitude, isSupported: Bool) async throws {
        try await FaultProxy.with { proxy in
            proxy.script(Self.script(attitude))
            let storage = try ScriptedBucket.storage(proxy)
            #expect(!storage.capabilities.contains(.conditionalUpload))
            let found = try await storage.probeConditionalWrites()
            #expect(found.contains(.conditionalUpload) == isSupported)
            #expect(storage.capabilities == found)
            let conditions = storage.conditions.withLockedValue { $0.writes }
            #expect(conditions.complete.absence.isSupported == isSupported)
            #expect(conditions.copy.isSupported == isSupported)
            // What nobody looks at.
            #expect(conditions.put.tag == .unsupported)
            #expect(conditions.complete.tag == .unsupported)
            #expect(conditions.delete == .unsupported)
            // Nothing stays behind, whatever was written.
            let written = Set(proxy.requests.filter { $0.method == "PUT" && $0.query.isEmpty }.map(\.path))
            let deleted = Set(proxy.requests.filter { $0.method == "DELETE" && $0.query.isEmpty }.map(\.path))
            #expect(written.isSubset(of: deleted))
        }
    }

    @Test(
        "A trial fails without a finding when the server refuses every request",
        arguments: [(403, "AccessDenied"), (400, "AuthorizationHeaderMalformed"), (503, "SlowDown")]
    )
    func undecided(status: Int, code: String) async throws {
        try await FaultProxy.with { proxy in
            proxy.script { _, _ in ScriptedBucket.failure(status, code) }
            let storage = try ScriptedBucket.storage(proxy)
            await #expect(throws: StorageError.self) { try await storage.probeConditionalWrites() }
            #expect(storage.conditions.withLockedValue { $0.writes.put.absence } == .unknown)
        }
    }

    @Test("A trial also deletes the old trial objects of a process that died")
    func oldProbes() async throws {
        try await FaultProxy.with { proxy in
            let honours = Self.script(.honours)
            proxy.script { request, number in
                guard request.method == "GET", request.query.contains("list-type=2") else {
                    return honours(request, number)
                }
                let keys = [(".stored-files-probe-old", "2026-01-01"), (".stored-files-probe-new", "2999-01-01")]
                let contents = keys.map { key, date in
                    "<Contents><Key>\(key)</Key><Size>1</Size><LastModified>\(date)T00:00:00.000Z</LastModified></Contents>"
                }
                return ScriptedBucket.answer(
                    200,
                    "<ListBucketResult><IsTruncated>false</IsTruncated>\(contents.joined())</ListBucketResult>"
                )
            }
            let storage = try ScriptedBucket.storage(proxy)
            try await storage.probeConditionalWrites()
            let deleted = proxy.requests.filter { $0.method == "DELETE" }.map(\.path)
            #expect(deleted.contains("/bucket/.stored-files-probe-old"))
            #expect(!deleted.contains("/bucket/.stored-files-probe-new"))
        }
    }

    @Test(
        "A trial has the expected result on real servers and leaves nothing behind",
        arguments: [(S3World.Server.swift, false), (.rclone, false), (.seaweed, true)]
    )
    func real(server: S3World.Server, isSupported: Bool) async throws {
        // As if nobody knew which server it is.
        let storage = try await S3World.make(server).storage { $0.server = .generic }
        #expect(try await storage.probeConditionalWrites().contains(.conditionalUpload) == isSupported)
        let left = try await FileListing.$includesReserved.withValue(true) { try await storage.listedKeys(prefix: "") }
        #expect(left.isEmpty)
        #expect(try await storage.abortUploads(olderThan: .distantFuture) == 0)
    }

    @Test("A multipart replacement is refused where a trial finds that its condition is ignored")
    func byOperation() async throws {
        let storage = try await S3World.make(.moto).storage {
            $0.transfers.multipartThreshold = 5 << 20
            $0.transfers.partSize = 5 << 20
        }
        try await storage.probeConditionalWrites()
        let found = storage.conditions.withLockedValue { $0.writes }
        #expect(found.complete.tag == .unsupported)
        #expect(found.copy == .unsupported)
        let name = StorageName.unique()
        _ = try await storage.upload(.string("newer"), to: name, options: UploadOptions(ifExists: .replace))
        let body = CountedSource(bytes: ByteBuffer(repeating: 1, count: (5 << 20) + 1))
        let error = await storageError {
            try await storage.replace(name, ifMatch: "\"old\"", with: .stream(body, length: (5 << 20) + 1))
        }
        #expect(error?.code == .unsupported)
        #expect(body.reads.value == 0)
        #expect(try await storage.open(name).collect(upTo: 10) == ByteBuffer(string: "newer"))
    }
}
