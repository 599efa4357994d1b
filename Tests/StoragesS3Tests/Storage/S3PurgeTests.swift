import Foundation
import NIOCore
import Storages
import StoredFilesTesting
import TestSupport
import Testing

@testable import StoragesHTTP
@testable import StoragesS3

@Suite("Purges of names", .timeLimit(.minutes(5)))
struct S3PurgeTests {
    private let name = StorageName(unchecked: "kept.txt")
    private let replace = UploadOptions(ifExists: .replace)

    /// A bucket of a real server that keeps versions.
    private func storage(_ status: String? = "Enabled") async throws -> S3Storage {
        let storage = try await S3World.make(.seaweed).storage()
        if let status { try await setVersioning(status, of: storage) }
        return storage
    }

    private func setVersioning(_ status: String, of storage: S3Storage) async throws {
        var operation = S3Operation("PutBucketVersioning", .put)
        operation.query = [("versioning", "")]
        operation.body = HTTPBody(
            "<VersioningConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Status>\(status)</Status>"
                + "</VersioningConfiguration>"
        )
        try await storage.client.perform(operation) { _ in }
    }

    /// Returns the versions that the server lists for a prefix.
    private func listed(_ storage: S3Storage) async throws -> [ListedVersion] {
        var operation = S3Operation("ListObjectVersions", .get)
        operation.query = [("versions", "")]
        return try await storage.client.perform(operation) { try ListVersionsPage($0.body).versions }
    }

    @Test("A purge removes all versions, delete markers and unfinished uploads of its name only")
    func everything() async throws {
        let storage = try await storage()
        let other = StorageName(unchecked: "kept.txt2")
        _ = try await storage.upload(.string("other"), to: other, options: replace)
        try await storage.delete(other)
        let first = try #require(try await storage.upload(.string("1"), to: name, options: replace).versionID)
        try await storage.delete(name)
        _ = try await storage.upload(.string("2"), to: name, options: replace)
        try await storage.delete(name)
        _ = try await storage.begin(name, [:])
        _ = try await storage.begin(other, [:])
        #expect(try await listed(storage).filter { $0.key == Array(name.string.utf8) }.count == 4)

        let receipts = try await storage.purge([name])
        #expect(receipts.map(\.name) == [name])
        let receipt = try #require(receipts.first)
        #expect(receipt.error == nil, "\(receipt)")
        #expect(receipt.versionCount == 2)
        #expect(receipt.markerCount == 2)
        #expect(receipt.uploadCount == 1)

        #expect(await storageErrorCode { try await storage.open(name, version: first) } == .notFound)
        let left = try await listed(storage)
        #expect(left.count == 2 && left.allSatisfy { $0.key == Array(other.string.utf8) })
        var uploads: [[UInt8]] = []
        try await storage.forEachUpload(prefix: "") { uploads.append($0.key) }
        #expect(uploads == [Array(other.string.utf8)])
        let again = try #require(try await storage.purge([name]).first)
        #expect(again.versionCount + again.markerCount + again.uploadCount == 0)
        #expect(again.error == nil)
    }

    @Test("A purge removes a delete marker without versions")
    func marker() async throws {
        let storage = try await storage()
        let version = try #require(try await storage.upload(.string("1"), to: name, options: replace).versionID)
        try await storage.delete(name)
        try await storage.delete(name, version: version)
        #expect(try await listed(storage).map(\.isMarker) == [true])
        let receipt = try #require(try await storage.purge([name]).first)
        #expect(receipt.markerCount == 1 && receipt.versionCount == 0 && receipt.error == nil, "\(receipt)")
        #expect(try await listed(storage).isEmpty)
    }

    @Test(
        "A purge removes what was stored before the bucket kept versions, and where it never did",
        arguments: [true, false]
    )
    func unversioned(isVersionedLater: Bool) async throws {
        let storage = try await storage(nil)
        _ = try await storage.upload(.string("old"), to: name, options: replace)
        if isVersionedLater {
            try await setVersioning("Enabled", of: storage)
            _ = try await storage.upload(.string("new"), to: name, options: replace)
        }
        let receipt = try #require(try await storage.purge([name]).first)
        #expect(receipt.versionCount == (isVersionedLater ? 2 : 1) && receipt.error == nil, "\(receipt)")
        #expect(try await !storage.exists(name))
        #expect(try await listed(storage).isEmpty)
    }

    // MARK: Scripts

    private static func page(_ versions: [(key: String, id: String)], more: String = "") -> String {
        let listed = versions.map { "<Version><Key>\($0.key)</Key><VersionId>\($0.id)</VersionId></Version>" }.joined()
        return "<ListVersionsResult>\(listed)<IsTruncated>\(!more.isEmpty)</IsTruncated>\(more)</ListVersionsResult>"
    }

    private static let noUploads = "<ListMultipartUploadsResult></ListMultipartUploadsResult>"

    @Test("A purge says until when a lock keeps a version, or that a legal hold does", arguments: [true, false])
    func locked(isHeld: Bool) async throws {
        let transport = ScriptedTransport { request in
            if request.url.contains("uploads=") { return .ok(Self.noUploads) }
            switch request.method {
            case .get: return .ok(Self.page([("kept.txt", "v1"), ("kept.txt", "v2")]))
            case .post:
                return .ok(
                    "<DeleteResult><Deleted><Key>kept.txt</Key><VersionId>v1</VersionId></Deleted><Error>"
                        + "<Key>kept.txt</Key><VersionId>v2</VersionId><Code>AccessDenied</Code></Error></DeleteResult>"
                )
            default:
                #expect(request.method == .head && request.url.contains("versionId=v2"))
                var headers: HTTPHeaders = [
                    "Content-Length": "1", "x-amz-object-lock-mode": "COMPLIANCE",
                    "x-amz-object-lock-retain-until-date": "2030-01-02T03:04:05.000Z",
                ]
                if isHeld { headers["x-amz-object-lock-legal-hold"] = "ON" }
                return ScriptedTransport.Answer(status: 200, body: "", headers: headers)
            }
        }
        let receipt = try #require(try await ScriptedBucket.amazon(transport).purge([name]).first)
        #expect(receipt.error?.code == .retained)
        #expect(receipt.error?.name == name.string)
        #expect(receipt.versionCount == 1)
        let date = Date(timeIntervalSince1970: 1_893_553_445)
        #expect(receipt.retainedUntil == (isHeld ? nil : date))
        #expect(receipt.error?.message.contains(isHeld ? "legal hold" : "until 2030-01-02T03:04:05") == true)
    }

    @Test("A purge tells a denial from a lock, and one name's failure from the others")
    func denied() async throws {
        let transport = ScriptedTransport { request in
            if request.url.contains("uploads=") { return .ok(Self.noUploads) }
            let isDenied = request.url.contains("denied")
            switch request.method {
            case .get where isDenied: return .init(status: 403, body: ScriptedBucket.error("AccessDenied"))
            case .get: return .ok(Self.page([]))
            default: return .init(status: 500, body: "")
            }
        }
        let receipts = try await ScriptedBucket.amazon(transport).purge([StorageName(unchecked: "denied"), name])
        #expect(receipts.first?.error?.code == .permissionDenied)
        #expect(receipts.count == 2 && receipts.last?.error == nil)
        #expect(receipts.allSatisfy { $0.retainedUntil == nil })
    }

    @Test("A purge goes through all pages and lists again before it reports success")
    func pages() async throws {
        let asked = Counter()
        let transport = ScriptedTransport { request in
            if request.url.contains("uploads=") { return .ok(Self.noUploads) }
            guard request.method == .get else {
                return request.method == .delete ? .init(status: 204, body: "") : .init(status: 501, body: "")
            }
            switch asked.next() {
            case 1:
                let more = "<NextKeyMarker>kept.txt</NextKeyMarker><NextVersionIdMarker>v2</NextVersionIdMarker>"
                return .ok(Self.page([("kept.txt", "v1"), ("kept.txt", "v2")], more: more))
            case 2:
                #expect(request.url.contains("key-marker=kept.txt") && request.url.contains("version-id-marker=v2"))
                let more = "<NextKeyMarker>kept.txt2</NextKeyMarker><NextVersionIdMarker>w</NextVersionIdMarker>"
                return .ok(Self.page([("kept.txt", "v3"), ("kept.txt2", "w")], more: more))
            default: return .ok(Self.page([]))
            }
        }
        let receipt = try #require(try await ScriptedBucket.amazon(transport).purge([name]).first)
        #expect(receipt.error == nil && receipt.versionCount == 3)
        #expect(asked.value == 3)
        let deleted = transport.requests.filter { $0.method == .delete }.map(\.url)
        #expect(deleted.count == 3 && !deleted.contains { $0.contains("txt2") })
    }

    @Test("A purge fails when the server still lists what it reports as deleted")
    func untrue() async throws {
        let transport = ScriptedTransport { request in
            if request.url.contains("uploads=") { return .ok(Self.noUploads) }
            return request.method == .get ? .ok(Self.page([("kept.txt", "v1")])) : .init(status: 204, body: "")
        }
        let receipt = try #require(try await ScriptedBucket.amazon(transport).purge([name]).first)
        #expect(receipt.error?.code == .unavailable)
    }

    @Test(
        "A purge without a list of versions deletes the file only if the bucket keeps none",
        arguments: [(501, nil, nil), (200, nil, nil), (200, "Enabled", .unsupported), (501, "Suspended", .unsupported)]
            as [(Int, String?, StorageError.Code?)]
    )
    func noListing(status: Int, versioning: String?, code: StorageError.Code?) async throws {
        let transport = ScriptedTransport { request in
            if request.url.contains("uploads=") { return .init(status: 501, body: "") }
            if request.url.contains("versioning=") {
                let state = versioning.map { "<Status>\($0)</Status>" } ?? ""
                return .ok("<VersioningConfiguration>\(state)</VersioningConfiguration>")
            }
            switch request.method {
            case .get:
                let objects = "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"
                return .init(status: status, body: status == 200 ? objects : "")
            case .head: return .init(status: 200, body: "", headers: ["Content-Length": "1"])
            default: return .init(status: 204, body: "")
            }
        }
        let receipt = try #require(try await ScriptedBucket.amazon(transport).purge([name]).first)
        #expect(receipt.error?.code == code)
        #expect(receipt.versionCount == (code == nil ? 1 : 0))
        let deletions = transport.requests.count { $0.method == .delete }
        #expect(deletions == (code == nil ? 1 : 0))
    }
}
