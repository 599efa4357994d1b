import Foundation
import NIOCore
import Storages
import Testing

@testable import StoragesS3

@Suite("Pages of listings")
struct ListObjectsPageTests {
    private func page(_ inner: String) throws -> ListObjectsPage {
        try ListObjectsPage(
            ByteBuffer(
                string: "<?xml version=\"1.0\"?>\n<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
                    + inner + "</ListBucketResult>"
            )
        )
    }

    private func contents(_ keys: String...) -> String {
        keys.map { "<Contents><Key>\($0)</Key><Size>1</Size></Contents>" }.joined()
    }

    @Test("A listing page of version 2 gives objects, prefixes and the token")
    func version2() throws {
        let page = try page(
            """
            <Name>b</Name><Prefix>a%2F</Prefix><KeyCount>3</KeyCount><MaxKeys>1000</MaxKeys><EncodingType>url</EncodingType>
            <IsTruncated>true</IsTruncated><NextContinuationToken>1ueG+cXPJ/x=</NextContinuationToken>
            <Contents><Key>a%2Fb+c%20d%2Be%C3%A9%0A</Key><LastModified>2009-10-12T17:50:30.000Z</LastModified>
            <ETag>&quot;fba9dede5f27731c9771645a39863328&quot;</ETag><Size>434234</Size><StorageClass>STANDARD</StorageClass>
            <Owner><ID>x</ID></Owner></Contents>
            <Contents><Key>%FF%zz%</Key><Size>0</Size></Contents>
            <CommonPrefixes><Prefix>a%2Fp/</Prefix></CommonPrefixes><CommonPrefixes><Prefix>q+/</Prefix></CommonPrefixes>
            """
        )
        #expect(page.objects.count == 2)
        let first = try #require(page.objects.first)
        #expect(String(decoding: first.key, as: UTF8.self) == "a/b c d+eé\n")
        #expect(first.size == 434_234)
        #expect(first.entityTag == "\"fba9dede5f27731c9771645a39863328\"")
        #expect(first.lastModified == Date(timeIntervalSince1970: 1_255_369_830))
        // Not UTF-8, and with signs that are no encoding.
        #expect(page.objects[1].key == [0xFF] + Array("%zz%".utf8))
        #expect(page.commonPrefixes == [Array("a/p/".utf8), Array("q /".utf8)])
        #expect(try page.next(after: nil) == .token("1ueG+cXPJ/x="))
    }

    @Test("Keys of a listing page without EncodingType are taken as they are")
    func plain() throws {
        let page = try page("<IsTruncated>false</IsTruncated>" + contents("a+b%20c", " lead"))
        #expect(page.objects.map(\.key) == [Array("a+b%20c".utf8), Array(" lead".utf8)])
        #expect(try page.next(after: nil) == nil)
    }

    @Test("A listing of version 1 continues after NextMarker, or else after the last key")
    func version1() throws {
        let marked = try page(
            "<IsTruncated>true</IsTruncated><NextMarker>m%20</NextMarker><EncodingType>url</EncodingType>"
        )
        #expect(try marked.next(after: nil) == .marker(Array("m ".utf8)))
        let keyed = try page("<IsTruncated>true</IsTruncated><NextMarker/>" + contents("a", "b"))
        #expect(try keyed.next(after: .marker(Array("a".utf8))) == .marker(Array("b".utf8)))
        let prefixed = try page(
            "<IsTruncated>true</IsTruncated>" + contents("a") + "<CommonPrefixes><Prefix>z/</Prefix></CommonPrefixes>"
        )
        #expect(try prefixed.next(after: nil) == .marker(Array("z/".utf8)))
    }

    @Test("A truncated listing page without a token continues as version 1 does")
    func truncatedWithoutToken() throws {
        let page = try page("<IsTruncated>true</IsTruncated>" + contents("b"))
        #expect(try page.next(after: .token("t")) == .marker(Array("b".utf8)))
    }

    @Test("A listing page that makes no progress is an error, not a loop")
    func loops() throws {
        let cases: [(String, ListCursor?)] = [
            ("<NextContinuationToken>t</NextContinuationToken>", .token("t")),
            (contents("b"), .marker(Array("b".utf8))), (contents("b"), .marker(Array("c".utf8))), ("", nil),
            ("<NextMarker>a</NextMarker>", .marker(Array("a".utf8))),
        ]
        for (inner, cursor) in cases {
            let page = try page("<IsTruncated>true</IsTruncated>" + inner)
            let error = #expect(throws: StorageError.self) { try page.next(after: cursor) }
            #expect(error?.code == .unsupported)
        }
    }

    private func refused(_ pages: [ListObjectsPage]) -> Int? {
        var progress = ListingProgress()
        for (index, page) in pages.enumerated() {
            do {
                try progress.advance(over: page)
            } catch {
                #expect(error.code == .unsupported)
                return index
            }
        }
        return nil
    }

    private func truncated(_ token: String, _ inner: String = "") throws -> ListObjectsPage {
        try page("<IsTruncated>true</IsTruncated><NextContinuationToken>\(token)</NextContinuationToken>" + inner)
    }

    @Test("Listing pages that repeat themselves under other cursors are an error")
    func endless() throws {
        let (a, b) = (try truncated("t1", contents("a", "b")), try truncated("t2", contents("c", "d")))
        #expect(refused([a, b, a, b]) == 2)
        // A server that does not look at the token, and makes up another each time.
        let invented = try (0..<3).map { try truncated("t\($0)", contents("a", "b")) }
        #expect(refused(invented) == 1)
        let end = try page("<IsTruncated>false</IsTruncated>" + contents("a", "b"))
        #expect(refused([a, end]) == 1)
        // Five pages, and then four of them again and again.
        let tour = try (0..<5).map { try truncated("t\($0)", contents("k\($0)")) }
        let endless = tour + Array((0..<5).map { _ in tour[1...] }.joined())
        #expect((5..<20).contains(try #require(refused(endless))))
    }

    @Test("Listing pages that make progress are no error, even after many empty ones")
    func advancing() throws {
        var pages: [ListObjectsPage] = []
        for round in 0..<3 {
            pages += try (0..<100).map { try truncated("e\(round)-\($0)") }
            pages.append(try truncated("k\(round)", contents("k\(round)")))
        }
        // Directory by directory, as some servers list.
        pages += try ["d/x/1", "d/x-y", "d/x/0", "a"].map { try truncated("t" + $0, contents($0)) }
        pages.append(try page("<IsTruncated>false</IsTruncated>"))
        #expect(refused(pages) == nil)
        let empty = try (0...100).map { try truncated("e\($0)") }
        #expect(refused(empty) == 100)
    }

    @Test("A document that is no listing page is unreadable, so that no file seems missing")
    func others() {
        let bodies = [
            "", "  ", "<html><body/></html>", "<ListBucketResult>", "<ListBucketResult/>",
            "<ListBucketResult><IsTruncated>perhaps</IsTruncated></ListBucketResult>",
            "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Size>1</Size></Contents></ListBucketResult>",
            "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>a</Key></Contents></ListBucketResult>",
            "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>a</Key><Size>-1</Size></Contents></ListBucketResult>",
        ]
        for body in bodies {
            let error = #expect(throws: UnusableDocument.self) { try ListObjectsPage(ByteBuffer(string: body)) }
            guard case .unreadable? = error else {
                Issue.record("\(body): \(String(describing: error))")
                continue
            }
        }
    }

    @Test("An error in the place of a listing page gives its code")
    func errors() {
        let body = ByteBuffer(string: "\n\n<s:Error xmlns:s='u'><s:Code>InternalError</s:Code></s:Error>")
        let error = #expect(throws: UnusableDocument.self) { try ListObjectsPage(body) }
        guard case .error(let document)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(document.code == .internalError)
    }

    @Test("A listing page of a thousand keys of the greatest length is within the limits")
    func largest() throws {
        let key = String(repeating: "%F0%9F%98%80", count: 256)
        let page = try page(
            "<EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>"
                + contents(key) + (1..<1000).map { _ in contents(key) }.joined()
        )
        #expect(page.objects.count == 1000)
        #expect(page.objects.allSatisfy { $0.key.count == 1024 })
    }
}
