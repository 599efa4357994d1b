import Foundation
import NIOConcurrencyHelpers
import NIOCore
import Storages
import StoredFilesTesting
import TestSupport
import Testing

@testable import StoragesHTTP
@testable import StoragesS3

@Suite("Concurrent changes of files", .timeLimit(.minutes(5)))
struct S3ReplacingTests {
    private let name = StorageName(unchecked: "shared.txt")
    private let replace = UploadOptions(ifExists: .replace)

    private func parts(_ options: inout S3Options) {
        options.transfers.multipartThreshold = 5 << 20
        options.transfers.partSize = 5 << 20
    }

    @Test("A file is replaced in the version that was read, and in no other", arguments: [3, 6 << 20])
    func versions(byteCount: Int) async throws {
        let storage = try await S3World.make(.seaweed).storage { parts(&$0) }
        // One after the other it does that; of several at once more than one may win, so nobody else is told so.
        storage.assume { $0.complete.tag = .quoted }
        func body(_ byte: UInt8) -> UploadBody { .buffer(ByteBuffer(repeating: byte, count: byteCount)) }
        let first = try await storage.upload(body(1), to: name, options: replace)
        let tag = try #require(first.entityTag)
        let second = try await storage.replace(name, ifMatch: tag, with: body(2))
        #expect(second.name == name)
        #expect(second.entityTag != tag)

        let stale = await storageError { try await storage.replace(name, ifMatch: tag, with: body(3)) }
        #expect(stale?.code == .preconditionFailed)
        #expect(try await storage.open(name).collect(upTo: byteCount).getInteger(at: 0, as: UInt8.self) == 2)

        try await storage.delete(name)
        let gone = await storageError {
            try await storage.replace(name, ifMatch: second.entityTag ?? "", with: body(4))
        }
        #expect(gone?.code == .preconditionFailed)
        #expect(try await storage.exists(name) == false)
        // Nothing of the refused uploads stays.
        #expect(try await storage.abortUploads(olderThan: Date(timeIntervalSinceNow: 3600)) == 0)
    }

    @Test(
        "Upload, copy, info and listing report the same entity tag",
        arguments: S3World.Server.allCases
    )
    func tags(server: S3World.Server) async throws {
        let storage = try await S3World.make(server).storage()
        let uploaded = try await storage.upload(.string("a"), to: name, options: replace)
        let copy = try await storage.copy(name, to: StorageName(unchecked: "copy"), options: replace)
        for file in [uploaded, copy] {
            let tag = try #require(file.entityTag)
            #expect(tag.hasPrefix("\"") && tag.hasSuffix("\""))
            #expect(try await storage.info(for: file.name).entityTag == tag)
            #expect(try await storage.open(file.name).info.entityTag == tag)
            for try await listed in storage.list(prefix: file.name.string) { #expect(listed.entityTag == tag) }
        }
    }

    @Test("Entity tags get the quotes that a server leaves out")
    func unquoted() async throws {
        let transport = ScriptedTransport { _ in
            .init(status: 200, body: "", headers: ["ETag": "abc", "Content-Length": "0"])
        }
        let storage = try ScriptedBucket.amazon(transport)
        #expect(try await storage.info(for: name).entityTag == "\"abc\"")
        #expect(try await storage.upload(.string("a"), to: name, options: replace).entityTag == "\"abc\"")
        _ = try await storage.open(name, options: OpenOptions(ifMatch: "\"abc\""))
    }

    @Test("No concurrent change by read, modify and replace is lost")
    func counter() async throws {
        let storage = try await S3World.make(.seaweed).storage()
        _ = try await storage.upload(.string("0"), to: name, options: replace)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    var changes = 0
                    while changes < 5 {
                        let old = try await storage.open(name)
                        let value = try #require(Int(String(buffer: try await old.collect(upTo: 10))))
                        let tag = try #require(old.info.entityTag)
                        do {
                            try await storage.replace(name, ifMatch: tag, with: .string("\(value + 1)"))
                            changes += 1
                        } catch let error as StorageError where error.code == .preconditionFailed {
                            continue
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try await storage.open(name).collect(upTo: 10) == ByteBuffer(string: "20"))
    }

    @Test("A replacement of a version is refused where the server ignores conditions")
    func unsupported() async throws {
        let storage = try await S3World.make(.rclone).storage()
        let file = try await storage.upload(.string("a"), to: name, options: replace)
        let tag = try #require(file.entityTag)
        let error = await storageError { try await storage.replace(name, ifMatch: tag, with: .string("b")) }
        #expect(error?.code == .unsupported)
        let deleted = await storageError { try await storage.delete(name, ifMatch: tag) }
        #expect(deleted?.code == .unsupported)
        #expect(try await storage.open(name).collect(upTo: 10) == ByteBuffer(string: "a"))
    }

    @Test("A replacement succeeds when its response is lost and the retry is refused")
    func lostAnswer() async throws {
        let tag = "\"old\""
        let kept = NIOLockedValueBox<String?>(nil)
        let transport = ScriptedTransport { request in
            switch request.method {
            case .put:
                #expect(request.headers["If-Match"] == tag)
                let isFirst = kept.withLockedValue { kept in
                    defer { kept = kept ?? request.headers[UploadNonce.header] }
                    return kept == nil
                }
                if isFirst { throw HTTPFailure(.connectionLost, "Scripted.") }
                return .init(status: 412, body: ScriptedBucket.error("PreconditionFailed"))
            default:
                let nonce = kept.withLockedValue { $0 } ?? ""
                return .init(
                    status: 200,
                    body: "",
                    headers: ["ETag": "\"new\"", "Content-Length": "1", "x-amz-meta-stored-files-upload": nonce]
                )
            }
        }
        let storage = try ScriptedBucket.amazon(transport)
        let file = try await storage.replace(name, ifMatch: tag, with: .string("x"))
        #expect(file.entityTag == "\"new\"")
        #expect(transport.requests.map(\.method) == [.put, .put, .head])
    }

    static let missing = [
        ScriptedTransport.Answer(status: 404, body: ScriptedBucket.error("NoSuchKey")),
        ScriptedTransport.Answer(status: 412, body: ScriptedBucket.error("PreconditionFailed")),
    ]

    @Test("A replacement of a file that is gone fails like one of a changed file", arguments: 0..<2)
    func missing(index: Int) async throws {
        let storage = try ScriptedBucket.amazon(ScriptedTransport { _ in Self.missing[index] })
        let error = await storageError { try await storage.replace(name, ifMatch: "\"1\"", with: .string("x")) }
        #expect(error?.code == .preconditionFailed)
        #expect(error?.name == "shared.txt")
    }

    @Test("A conditional deletion removes the expected version and no other")
    func deletion() async throws {
        let answers = NIOLockedValueBox([(412, "PreconditionFailed"), (204, ""), (404, "NoSuchKey")])
        let transport = ScriptedTransport { _ in
            let (status, code) = answers.withLockedValue { $0.removeFirst() }
            return .init(status: status, body: code.isEmpty ? "" : ScriptedBucket.error(code))
        }
        let storage = try ScriptedBucket.amazon(transport)
        let error = await storageError { try await storage.delete(name, ifMatch: "\"1\"") }
        #expect(error?.code == .preconditionFailed)
        try await storage.delete(name, ifMatch: "\"2\"")
        try await storage.delete(name, ifMatch: "\"3\"")
        #expect(transport.requests.map { $0.headers["If-Match"] } == ["\"1\"", "\"2\"", "\"3\""])
    }

    @Test("A rejected direct upload is deleted without a condition where the server knows none")
    func verificationWithoutConditions() async throws {
        let transport = ScriptedTransport { request in
            switch (request.method, request.headers["If-Match"]) {
            case (.get, _):
                return .init(
                    status: 200,
                    body: "bad",
                    headers: ["ETag": "\"seen\"", "Content-Length": "3", "Content-Type": "text/plain"]
                )
            case (_, nil): return .init(status: 204, body: "")
            default: return .init(status: 501, body: ScriptedBucket.error("NotImplemented"))
            }
        }
        let storage = try ScriptedBucket.amazon(transport)
        let error = await storageError { try await storage.verifyDirectUpload(name, size: 10...20) }
        #expect(error?.code == .corrupted)
        #expect(error?.underlying == nil)
        #expect(transport.requests.map(\.method) == [.get, .delete, .delete])
    }

    @Test("A rejected direct upload is not deleted after a newer one has arrived")
    func verification() async throws {
        let transport = ScriptedTransport { request in
            switch request.method {
            case .get:
                return .init(
                    status: 200,
                    body: "bad",
                    headers: ["ETag": "\"seen\"", "Content-Length": "3", "Content-Type": "text/plain"]
                )
            default:
                #expect(request.headers["If-Match"] == "\"seen\"")
                return .init(status: 412, body: ScriptedBucket.error("PreconditionFailed"))
            }
        }
        let storage = try ScriptedBucket.amazon(transport)
        let error = await storageError { try await storage.verifyDirectUpload(name, size: 10...20) }
        #expect(error?.code == .corrupted)
        #expect(error?.message.contains("Another one has arrived") == true)
        #expect(transport.requests.map(\.method) == [.get, .delete])
    }
}
