import Foundation
import NIOConcurrencyHelpers
import NIOCore
import Storages
import TestSupport
import Testing

@testable import StoragesS3

/// The bytes that Ceph's gateway sends (16.2 and 18.2): keys are encoded, markers never are, and listings of uploads do
/// not say that their keys are encoded.
@Suite("Listings of Ceph", .timeLimit(.minutes(2)))
struct CephListingTests {
    private static func encoded(_ key: String) -> String {
        key.utf8.map { byte in
            let scalar = Unicode.Scalar(byte)
            let isKept = byte < 0x80 && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil)
            return isKept || "-._~".utf8.contains(byte) ? String(scalar) : "%" + String(format: "%02X", byte)
        }.joined()
    }

    private static func parameter(_ name: String, _ request: FaultProxy.Request) -> String? {
        for pair in request.query.split(separator: "&") where pair.hasPrefix(name + "=") {
            return String(pair.dropFirst(name.utf8.count + 1)).removingPercentEncoding
        }
        return nil
    }

    private static func document(_ root: String, _ write: (inout XMLWriter) -> Void) -> FaultProxy.Action {
        var writer = XMLWriter(root: root, capacity: 1024)
        write(&writer)
        writer.end(root)
        return ScriptedBucket.answer(200, String(buffer: writer.buffer))
    }

    @Test("A Ceph listing of version 1 is complete, whatever is in the key that ends a page")
    func objects() async throws {
        let keys = (0..<2200).map { "k %2F+%7E\($0 + 10_000)" }
        try await FaultProxy.with { proxy in
            proxy.script { request, _ in
                let marker = Self.parameter("marker", request) ?? ""
                let isEncoded = Self.parameter("encoding-type", request) == "url"
                let after = keys.filter { marker.utf8.lexicographicallyPrecedes($0.utf8) }
                let page = after.prefix(1000)
                return Self.document("ListBucketResult") { writer in
                    if isEncoded { writer.element("EncodingType", text: "url") }
                    writer.element("IsTruncated", text: page.count < after.count ? "true" : "false")
                    for key in page {
                        writer.begin("Contents")
                        writer.element("Key", text: isEncoded ? Self.encoded(key) : key)
                        writer.element("Size", text: "1")
                        writer.end("Contents")
                    }
                    writer.element("Marker", text: marker)
                    if page.count < after.count, let last = page.last { writer.element("NextMarker", text: last) }
                }
            }
            let storage = try ScriptedBucket.storage(proxy) { $0.server = .ceph }
            #expect(try await storage.listedKeys(prefix: "") == keys)
            #expect(proxy.requests.count == 3)
        }
    }

    @Test("A Ceph listing of versions continues after the key that it ended with")
    func versions() throws {
        func page(_ marker: String, _ key: String) throws -> ListVersionsPage {
            try ListVersionsPage(
                ByteBuffer(
                    string: "<ListVersionsResult><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>"
                        + "<NextKeyMarker>\(marker)</NextKeyMarker><NextVersionIdMarker>v1</NextVersionIdMarker>"
                        + "<Version><Key>\(key)</Key><VersionId>v1</VersionId></Version></ListVersionsResult>"
                )
            )
        }
        let cursor = ListVersionsPage.Cursor(key: Array("a+b%7Ec".utf8), versionID: "v1")
        // As Ceph, and as Amazon.
        #expect(try page("a+b%7Ec", "a%2Bb%257Ec").next(after: nil) == cursor)
        #expect(try page("a%2Bb%257Ec", "a%2Bb%257Ec").next(after: nil) == cursor)
    }

    // MARK: Uploads in parts

    /// A server of uploads in parts, which encodes keys when it is asked to, and does not say so.
    private final class Uploads: Sendable {
        let left: NIOLockedValueBox<[(key: String, id: String)]>
        /// Uploads that are listed, and unknown when they are to be aborted.
        let ghosts: Set<String>

        init(_ keys: [String], ghosts: Set<String> = []) {
            left = NIOLockedValueBox(keys.enumerated().map { ($1, "id-\($0)") })
            self.ghosts = ghosts
        }

        func answer(_ request: FaultProxy.Request) -> FaultProxy.Action {
            guard request.method == "DELETE" || request.method == "GET" else { return ScriptedBucket.answer(405) }
            let key = request.path.dropFirst("/bucket/".utf8.count).removingPercentEncoding ?? ""
            if let id = CephListingTests.parameter("uploadId", request) {
                guard request.method == "DELETE" else { return ScriptedBucket.failure(404, "NoSuchUpload") }
                let isKnown = left.withLockedValue { left in
                    let index = left.firstIndex { $0.key.utf8.elementsEqual(key.utf8) && $0.id == id }
                    guard let index, !ghosts.contains(id) else { return false }
                    left.remove(at: index)
                    return true
                }
                return isKnown ? ScriptedBucket.answer(204) : ScriptedBucket.failure(404, "NoSuchUpload")
            }
            let prefix = CephListingTests.parameter("prefix", request) ?? ""
            let isEncoded = CephListingTests.parameter("encoding-type", request) == "url"
            let page = left.withLockedValue { $0 }.filter { $0.key.utf8.starts(with: prefix.utf8) }
            return CephListingTests.document("ListMultipartUploadsResult") { writer in
                writer.element("IsTruncated", text: "false")
                if let last = page.last {
                    writer.element("NextKeyMarker", text: last.key)
                    writer.element("NextUploadIdMarker", text: last.id)
                }
                for upload in page {
                    writer.begin("Upload")
                    writer.element("Key", text: isEncoded ? CephListingTests.encoded(upload.key) : upload.key)
                    writer.element("UploadId", text: upload.id)
                    writer.element("Initiated", text: "2010-11-10T20:48:33.000Z")
                    writer.end("Upload")
                }
            }
        }
    }

    private static let keys = ["Größe+x.bin", "日本.bin", "a b", "p%q", "p%2Fq", "a%20b", "plain.bin"]

    @Test(
        "Unfinished uploads with names in every script are found in Ceph listings and aborted",
        arguments: [true, false]
    )
    func abandoned(isKnown: Bool) async throws {
        try await FaultProxy.with { proxy in
            let uploads = Uploads(Self.keys + ["other"])
            proxy.script { request, _ in uploads.answer(request) }
            let storage = try ScriptedBucket.storage(proxy) { if isKnown { $0.server = .ceph } }
            try await storage.abandonUploads(of: Self.keys.map { StorageName(unchecked: $0) })
            #expect(uploads.left.withLockedValue { $0.map(\.key) } == ["other"])

            let more = Uploads(Self.keys)
            proxy.script { request, _ in more.answer(request) }
            #expect(try await storage.abortUploads(olderThan: Date()) == Self.keys.count)
            #expect(more.left.withLockedValue { $0.isEmpty })
            #expect(try await storage.abortUploads(olderThan: Date()) == 0)
        }
    }

    @Test(
        "Aborting uploads fails when Ceph still lists one that it reports as unknown",
        arguments: [true, false]
    )
    func ghosts(isKnown: Bool) async throws {
        try await FaultProxy.with { proxy in
            let uploads = Uploads(["a", "b"], ghosts: ["id-0"])
            proxy.script { request, _ in uploads.answer(request) }
            let storage = try ScriptedBucket.storage(proxy) { if isKnown { $0.server = .ceph } }
            let name = StorageName(unchecked: "a")
            #expect(await storageErrorCode { try await storage.abandonUploads(of: [name]) } == .unavailable)
            let error = await #expect(throws: StorageError.self) { try await storage.abortUploads(olderThan: Date()) }
            #expect(error?.code == .unavailable)
            #expect(error?.message.contains("1 others are gone") == true)
            #expect(uploads.left.withLockedValue { $0.map(\.key) } == ["a"])
        }
    }

    @Test("Keys in a bulk deletion response of Ceph may be percent-encoded")
    func deletions() throws {
        let result = try DeleteResult(
            ByteBuffer(
                string:
                    "<DeleteResult><Deleted><Key>a%20b</Key></Deleted><Deleted><Key>p%q</Key></Deleted></DeleteResult>"
            )
        )
        #expect(result.outcomes(for: [Array("a b".utf8), Array("p%q".utf8)]) == [.deleted, .deleted])
        // What was asked for by that very name is no other.
        #expect(result.outcomes(for: [Array("a b".utf8), Array("a%20b".utf8)]) == [.unreported, .deleted])
    }

    @Test("Keys of a listing that falsely claims to be encoded are taken as they are")
    func falseClaims() throws {
        func keys(_ keys: [String], prefix: String = "") throws -> [String] {
            var writer = XMLWriter(root: "ListBucketResult", capacity: 1024)
            writer.element("EncodingType", text: "url")
            writer.element("IsTruncated", text: "false")
            for key in keys {
                writer.begin("Contents")
                writer.element("Key", text: key)
                writer.element("Size", text: "1")
                writer.end("Contents")
            }
            writer.end("ListBucketResult")
            return try ListObjectsPage(writer.buffer, prefix: prefix).objects.map {
                String(decoding: $0.key, as: UTF8.self)
            }
        }
        #expect(try keys(["a+b", "é"]) == ["a+b", "é"])
        #expect(try keys(["a+b", "c d"]) == ["a+b", "c d"])
        #expect(try keys(["a+b/x"], prefix: "a+b/") == ["a+b/x"])
        #expect(try keys(["a%2Bb/x+y"], prefix: "a+b/") == ["a+b/x y"])
    }
}
