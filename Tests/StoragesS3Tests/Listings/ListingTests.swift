import NIOConcurrencyHelpers
import NIOCore
import Storages
import Testing

@testable import StoragesHTTP
@testable import StoragesS3

@Suite("Listings", .timeLimit(.minutes(3)))
struct ListingTests {
    private static func page(
        _ keys: [String],
        truncated: Bool = false,
        encoded: Bool = true,
        token: String? = nil
    ) -> String {
        var writer = XMLWriter(root: "ListBucketResult", capacity: 1024)
        if encoded { writer.element("EncodingType", text: "url") }
        writer.element("IsTruncated", text: truncated ? "true" : "false")
        if let token { writer.element("NextContinuationToken", text: token) }
        for key in keys {
            writer.begin("Contents")
            writer.element("Key", text: key)
            writer.element("Size", text: "1")
            writer.end("Contents")
        }
        writer.end("ListBucketResult")
        return String(buffer: writer.buffer)
    }

    private static func parameter(_ name: String, _ request: FaultProxy.Request) -> String? {
        for pair in request.query.split(separator: "&") where pair.hasPrefix(name + "=") {
            return String(pair.dropFirst(name.utf8.count + 1))
        }
        return nil
    }

    @Test("A listing of 2,500 keys has three pages, whatever the encoding of blanks and slashes")
    func pages() async throws {
        try await FaultProxy.with { proxy in
            let keys: [String] = (0..<2500).map { "d/ä+\($0 + 10_000) x" }
            // As rclone, as Amazon, as OpenStack Swift.
            let blanks = ["+", "%20", "%20"]
            let slashes = ["/", "/", "%2F"]
            let encoded: [String] = keys.enumerated().map { index, key in
                let text: String = key.replacing("+", with: "%2B").replacing("ä", with: "%C3%A4")
                return text.replacing(" ", with: blanks[index % 3]).replacing("/", with: slashes[index % 3])
            }
            proxy.script { request, _ in
                let start = Int(Self.parameter("continuation-token", request)?.dropFirst(4) ?? "0") ?? 0
                let end = min(start + 1000, keys.count)
                return ScriptedBucket.answer(
                    200,
                    Self.page(
                        Array(encoded[start..<end]),
                        truncated: end < keys.count,
                        token: end < keys.count ? "t+\(end)" : nil
                    )
                )
            }
            let storage = try ScriptedBucket.storage(proxy)
            #expect(try await storage.listedKeys(prefix: "d/") == keys)
            #expect(proxy.requests.count == 3)
            #expect(Self.parameter("prefix", proxy.requests[0]) == "d%2F")
            #expect(Self.parameter("continuation-token", proxy.requests[1]) == "t%2B1000")
        }
    }

    @Test("Keys of a listing without an encoding are taken as they are")
    func notEncoded() async throws {
        try await FaultProxy.with { proxy in
            proxy.script { _, _ in ScriptedBucket.answer(200, Self.page(["a+b", "a%20b"], encoded: false)) }
            let storage = try ScriptedBucket.storage(proxy)
            #expect(try await storage.listedKeys(prefix: "") == ["a+b", "a%20b"])
        }
    }

    @Test("A truncated listing without a token continues after the last key")
    func noToken() async throws {
        try await FaultProxy.with { proxy in
            proxy.script { request, index in
                ScriptedBucket.answer(200, Self.page(index == 0 ? ["a", "b"] : ["c"], truncated: index == 0))
            }
            let storage = try ScriptedBucket.storage(proxy)
            #expect(try await storage.listedKeys(prefix: "") == ["a", "b", "c"])
            #expect(Self.parameter("marker", proxy.requests[1]) == "b")
            #expect(Self.parameter("list-type", proxy.requests[1]) == nil)
        }
    }

    @Test("A listing that makes no progress is an error, not an endless loop")
    func loop() async throws {
        try await FaultProxy.with { proxy in
            for script in [
                { _, _ in ScriptedBucket.answer(200, Self.page(["a"], truncated: true, token: "t")) },
                { _, _ in ScriptedBucket.answer(200, Self.page(["a"], truncated: true)) },
                { _, _ in ScriptedBucket.answer(200, Self.page([], truncated: true)) },
            ] as [FaultProxy.Script] {
                proxy.script(script)
                let before = proxy.requests.count
                let storage = try ScriptedBucket.storage(proxy)
                let error = await #expect(throws: StorageError.self) { _ = try await storage.listedKeys(prefix: "") }
                #expect(error?.code == .unsupported)
                #expect(proxy.requests.count - before <= 2)
            }
        }
    }

    @Test("A listing with entities, endless nesting or too many bytes is refused")
    func bombs() async throws {
        let bomb =
            "<!DOCTYPE l [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">]><ListBucketResult>&b;"
            + "</ListBucketResult>"
        let nested = String(repeating: "<a>", count: 100_000)
        try await FaultProxy.with { proxy in
            for body in [bomb, nested, String(repeating: "x", count: 9 << 20)] {
                proxy.script { _, _ in ScriptedBucket.answer(200, body) }
                let storage = try ScriptedBucket.storage(proxy) { $0.retries = .none }
                let error = await #expect(throws: StorageError.self) { _ = try await storage.listedKeys(prefix: "") }
                #expect(error?.code == .unavailable)
                #expect((error?.description.utf8.count ?? 0) < 2000)
            }
        }
    }

    @Test("A request that gets an error page of 10 MB fails according to the status", arguments: [403, 503])
    func longErrors(status: Int) async throws {
        try await FaultProxy.with { proxy in
            let body = "<html>" + String(repeating: "long ", count: 2 << 20)
            proxy.script { _, _ in ScriptedBucket.answer(status, body) }
            let storage = try ScriptedBucket.storage(proxy) { $0.retries.maxAttempts = 2 }
            let error = await #expect(throws: StorageError.self) { _ = try await storage.listedKeys(prefix: "") }
            #expect(error?.code == (status == 403 ? .permissionDenied : .unavailable))
            #expect((error?.underlying as? S3ErrorDetails)?.status == status)
            #expect(proxy.requests.count == (status == 403 ? 1 : 2))
            #expect((error?.description.utf8.count ?? 0) < 2000)
        }
    }

    @Test("Keys that no file can have are reported, and neither listed nor deleted")
    func foreignKeys() async throws {
        let storage = try await S3World.make().storage()
        let bad = KeyRoundTripTests.others + [String(repeating: "n", count: 300), "a/\u{202E}b"]
        for key in bad + ["good"] {
            var put = S3Operation("PutObject", .put, key: key)
            put.body = HTTPBody("x")
            try await storage.client.perform(put) { try $0.requireDone() }
        }
        let keys = NIOLockedValueBox<[ForeignKey]>([])
        var names: [String] = []
        try await FileListing.reportingForeignKeys(to: { key in keys.withLockedValue { $0.append(key) } }) {
            for try await file in storage.list() { names.append(file.name.string) }
        }
        #expect(names == ["good"])
        let found = keys.withLockedValue { $0 }
        #expect(Set(found.map(\.bytes)) == Set(bad.map { Array($0.utf8) }))
        #expect(found.allSatisfy { !$0.reason.isEmpty && !$0.description.contains("\n") })
        let failures = try await storage.delete(bad.map { StorageName(unchecked: $0) })
        #expect(failures.count == bad.count)
        #expect(try await storage.listedKeys(prefix: "").count == bad.count + 1)
        #expect(ForeignKey([0x61, 0xFF])?.reason == "It is not UTF-8.")
        #expect(ForeignKey(Array("a/b c+%2F".utf8)) == nil)
    }

    @Test("A real server lists 2,500 files completely and in order, and deletes all of them")
    func real() async throws {
        let storage = try await S3World.make(.rclone).storage()
        let unsorted: [String] = (0..<2500).map { "l/\($0 % 7)/\($0 + 10_000)+ ä" }
        let keys = unsorted.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, key) in keys.enumerated() {
                if index >= 32 { try await group.next() }
                group.addTask {
                    let name = StorageName(unchecked: key)
                    _ = try await storage.upload(.string("x"), to: name, options: UploadOptions(ifExists: .replace))
                }
            }
            try await group.waitForAll()
        }
        #expect(try await storage.listedKeys(prefix: "l/") == keys)
        #expect(try await storage.delete(keys.map { StorageName(unchecked: $0) }).isEmpty)
        #expect(try await storage.listedKeys(prefix: "").isEmpty)
    }
}
