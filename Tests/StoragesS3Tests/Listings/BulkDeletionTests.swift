import Foundation
import NIOConcurrencyHelpers
import NIOCore
import Storages
import StoredFilesTesting
import TestSupport
import Testing

@testable import StoragesHTTP
@testable import StoragesS3

@Suite("Deletion of many files", .timeLimit(.minutes(3)))
struct BulkDeletionTests {
    /// Returns a key with characters that XML, URLs or old servers might misread, and that names of files may have.
    private static func key(_ number: Int) -> String { "n&<>\"'&amp;]]>+%é日\u{1F600} \(number)" }

    private static func names(_ count: Int) -> [StorageName] {
        (0..<count).map { StorageName(unchecked: key($0)) }
    }

    /// The keys in the body of DeleteObjects.
    private static func keys(_ request: HTTPRequest) -> [String] {
        var body = ByteBuffer()
        for var chunk in request.body.chunks { body.writeBuffer(&chunk) }
        let root = try? XMLReader.read(body)
        return root?.all("Object").compactMap { $0.first("Key")?.text }.map { String(decoding: $0, as: UTF8.self) }
            ?? []
    }

    private static func report(_ keys: [String], _ failed: [String: String]) -> String {
        var writer = XMLWriter(root: "DeleteResult", capacity: 1024)
        for key in keys {
            writer.begin(failed[key] == nil ? "Deleted" : "Error")
            writer.element("Key", text: key)
            if let code = failed[key] { writer.element("Code", text: code) }
            writer.end(failed[key] == nil ? "Deleted" : "Error")
        }
        writer.end("DeleteResult")
        return String(buffer: writer.buffer)
    }

    @Test("A bulk deletion takes a request per thousand keys and reports failures in order")
    func batches() async throws {
        let failed = [
            Self.key(2400): "AccessDenied", Self.key(7): "AccessDenied", Self.key(1500): "InvalidObjectState",
        ]
        let transport = ScriptedTransport { .ok(Self.report(Self.keys($0), failed)) }
        let storage = try ScriptedBucket.amazon(transport)
        let failures = try await storage.delete(Self.names(2500))
        #expect(failures.map(\.name.string) == [7, 1500, 2400].map(Self.key))
        #expect(failures.map(\.error.code) == [.permissionDenied, .unavailable, .permissionDenied])
        let requests = transport.requests
        #expect(requests.map { Self.keys($0).count } == [1000, 1000, 500])
        #expect(requests.flatMap { Self.keys($0) } == (0..<2500).map(Self.key))
        for request in requests {
            #expect(request.url.hasSuffix("/?delete="))
            let body = request.body.chunks.flatMap { Array($0.readableBytesView) }
            let sha256 = try SHA256Hasher.hash(body).hexadecimal
            let hasher = try MD5Hasher()
            body.withUnsafeBytes { hasher.update($0) }
            let md5 = Data(try hasher.finish()).base64EncodedString()
            #expect(request.headers["Content-MD5"] == md5)
            #expect(request.headers["x-amz-content-sha256"] == sha256)
        }
    }

    @Test("A bulk deletion is retried only for the keys that failed temporarily")
    func again() async throws {
        let count = Counter()
        let transport = ScriptedTransport { request in
            let keys = Self.keys(request)
            let failed: [String: String] =
                switch count.next() {
                case 1: [keys[1]: "SlowDown", keys[3]: "InternalError", keys[4]: "AccessDenied"]
                case 2: [keys[0]: "InternalError"]
                default: [:]
                }
            return .ok(Self.report(keys, failed))
        }
        let failures = try await ScriptedBucket.amazon(transport).delete(Self.names(6))
        #expect(failures.map(\.name.string) == [Self.key(4)])
        #expect(transport.requests.map { Self.keys($0).count } == [6, 2, 1])
    }

    @Test("A key that a bulk deletion response does not name is reported as failed")
    func unreported() async throws {
        let transport = ScriptedTransport { .ok(Self.report(Self.keys($0).filter { !$0.hasSuffix("3") }, [:])) }
        let failures = try await ScriptedBucket.amazon(transport).delete(Self.names(5))
        #expect(failures.map(\.name.string) == [Self.key(3)])
        #expect(failures.first?.error.code == .unavailable)
        #expect(transport.requests.count == 3)
    }

    @Test(
        "Files are deleted one by one where the server has no bulk deletion",
        arguments: [
            (400, "InvalidArgument"), (400, "MalformedXML"), (400, nil), (405, "MethodNotAllowed"), (405, nil),
            (501, "NotImplemented"),
        ] as [(Int, String?)]
    )
    func fallback(status: Int, code: String?) async throws {
        try await FaultProxy.with { proxy in
            proxy.script { request, _ in
                guard request.method == "DELETE" else {
                    return ScriptedBucket.answer(status, code.map { ScriptedBucket.error($0) } ?? "")
                }
                if request.path.hasSuffix("%207") { return ScriptedBucket.failure(403, "AccessDenied") }
                return request.path.hasSuffix("%208")
                    ? ScriptedBucket.failure(404, "NoSuchKey") : ScriptedBucket.answer(204)
            }
            let failures = try await ScriptedBucket.storage(proxy).delete(Self.names(50))
            #expect(failures.map(\.name.string) == [Self.key(7)])
            #expect(proxy.requests.count { $0.method == "DELETE" } == 50)
            #expect(proxy.requests.count { $0.method == "POST" } == 1)
        }
    }

    @Test("Files are deleted one by one with at most twenty requests at a time")
    func concurrency() async throws {
        let running = NIOLockedValueBox((now: 0, most: 0))
        let transport = ScriptedTransport { request in
            guard request.method == .delete else { return .init(status: 501, body: "") }
            running.withLockedValue {
                $0.now += 1
                $0.most = max($0.most, $0.now)
            }
            try await Task.sleep(for: .milliseconds(1))
            running.withLockedValue { $0.now -= 1 }
            return .init(status: 204, body: "")
        }
        let failures = try await ScriptedBucket.amazon(transport).delete(Self.names(200))
        #expect(failures.isEmpty)
        #expect(running.withLockedValue { $0.most } <= 20)
        #expect(running.withLockedValue { $0.most } > 10)
    }

    @Test("A bulk deletion reports the keys of a failed request and continues with the rest")
    func failure() async throws {
        let count = Counter()
        let transport = ScriptedTransport { request in
            count.next() == 1
                ? .init(status: 403, body: ScriptedBucket.error("AccessDenied"))
                : .ok(Self.report(Self.keys(request), [:]))
        }
        let failures = try await ScriptedBucket.amazon(transport).delete(Self.names(1500))
        #expect(failures.map(\.name) == Array(Self.names(1000)))
        #expect(failures.allSatisfy { $0.error.code == .permissionDenied })
        #expect(transport.requests.count == 2)
    }

    @Test("Deletion of files fails when the bucket is missing", arguments: [1, 2])
    func noBucket(count: Int) async throws {
        try await FaultProxy.with { proxy in
            proxy.script { _, _ in ScriptedBucket.failure(404, "NoSuchBucket") }
            let storage = try ScriptedBucket.storage(proxy)
            let error = await #expect(throws: StorageError.self) { _ = try await storage.delete(Self.names(count)) }
            #expect(error?.code == .invalidConfiguration)
        }
    }

    @Test("A bulk deletion works on real servers", arguments: [S3World.Server.swift, .rclone])
    func real(server: S3World.Server) async throws {
        let storage = try await S3World.make(server).storage()
        let keys = ["a&b", "<c>", "d\"e'", "f g", "ü", "h+i", "j%20k"]
        for key in keys {
            _ = try await storage.upload(
                .string(key),
                to: StorageName(unchecked: key),
                options: .init(ifExists: .replace)
            )
        }
        // What stays is told apart from what goes by one byte.
        let stays = StorageName(unchecked: "a&bb")
        _ = try await storage.upload(.string("x"), to: stays, options: .init(ifExists: .replace))
        let names = keys.map { StorageName(unchecked: $0) }
        #expect(try await storage.delete(names + Self.names(3)).isEmpty)
        #expect(try await storage.listedKeys(prefix: "") == [stays.string])
    }

    @Test("A bulk deletion of 2,500 files with odd names takes three requests on a real server")
    func many() async throws {
        let world = try await S3World.make(.rclone)
        let direct = try world.storage()
        let names = Self.names(2500)
        let stays = StorageName(unchecked: Self.key(2500))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, name) in (names + [stays]).enumerated() {
                if index >= 32 { try await group.next() }
                group.addTask {
                    _ = try await direct.upload(.string("x"), to: name, options: UploadOptions(ifExists: .replace))
                }
            }
            try await group.waitForAll()
        }
        #expect(try await direct.listedKeys(prefix: "").count == 2501)
        try await FaultProxy.with(upstream: (world.server.host, world.server.port)) { proxy in
            let storage = try world.storage(at: proxy.endpoint)
            #expect(try await storage.delete(names).isEmpty)
            #expect(proxy.requests.map(\.method) == ["POST", "POST", "POST"])
            #expect(proxy.requests.allSatisfy { $0.query == "delete=" && $0["Content-MD5"] != nil })
        }
        #expect(try await direct.listedKeys(prefix: "") == [stays.string])
    }

    @Test(
        "A bulk deletion refuses names with line breaks and deletes the others",
        arguments: ["a\nb", "c\r\nd", "e\rf"]
    )
    func refusedNames(bad: String) async throws {
        let transport = ScriptedTransport { .ok(Self.report(Self.keys($0), [:])) }
        let storage = try ScriptedBucket.amazon(transport)
        let failures = try await storage.delete([StorageName(unchecked: bad)] + Self.names(2))
        #expect(failures.map(\.name.string) == [bad])
        #expect(failures.first?.error.code == .invalidName)
        #expect(transport.requests.map { Self.keys($0) } == [[0, 1].map(Self.key)])
    }

    @Test("A bulk deletion request deletes keys with line breaks")
    func lineBreaks() async throws {
        let storage = try await S3World.make().storage()
        let keys = ["a\nb", "c\r\nd", "e\rf"]
        for key in keys {
            var put = S3Operation("PutObject", .put, key: key)
            put.body = HTTPBody("x")
            try await storage.client.perform(put) { _ in }
        }
        #expect(try await storage.listedKeys(prefix: "").count == 3)
        var operation = S3Operation("DeleteObjects", .post)
        operation.query = [("delete", "")]
        operation.body = HTTPBody(DeleteObjectsBody.make(for: keys.map { Array($0.utf8) }))
        operation.signsBody = true
        operation.headers = try IntegrityPolicy.contentMD5(of: operation.body)
        operation.headers.append("Content-Type", "application/xml")
        let outcomes = try await storage.client.perform(operation) {
            try DeleteResult($0.body).outcomes(for: keys.map { Array($0.utf8) })
        }
        #expect(outcomes == [.deleted, .deleted, .deleted])
        #expect(try await storage.listedKeys(prefix: "").isEmpty)
    }
}
