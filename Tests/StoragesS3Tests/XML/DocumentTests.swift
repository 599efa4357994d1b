import Foundation
import NIOCore
import Storages
import Testing

@testable import StoragesS3

@Suite("Documents of S3 and STS")
struct DocumentTests {
    private func body(_ text: String) -> ByteBuffer { ByteBuffer(string: text) }

    private func isUnreadable(_ error: UnusableDocument?) -> Bool {
        if case .unreadable? = error { true } else { false }
    }

    @Test("A listing of uploads in the order of IDs continues after an ID and must make progress")
    func uploadsInOrderOfIDs() throws {
        func page(_ marker: String, isTruncated: Bool = true) throws -> ListMultipartUploadsPage {
            try ListMultipartUploadsPage(
                ByteBuffer(
                    string: """
                        <ListMultipartUploadsResult><IsTruncated>\(isTruncated)</IsTruncated>\
                        <NextUploadIdMarker>\(marker)</NextUploadIdMarker>\
                        <Upload><Key>z</Key><UploadId>a</UploadId></Upload>\
                        <Upload><Key>b</Key><UploadId>\(marker)</UploadId></Upload></ListMultipartUploadsResult>
                        """
                )
            )
        }
        var progress = UploadListingProgress()
        try progress.advance(over: page("b"))
        #expect(progress.cursor == ListMultipartUploadsPage.Cursor(key: nil, uploadID: "b"))
        try progress.advance(over: page("c"))
        #expect(progress.cursor == ListMultipartUploadsPage.Cursor(key: nil, uploadID: "c"))
        #expect(throws: StorageError.self) { try progress.advance(over: page("c")) }
        try progress.advance(over: page("d", isTruncated: false))
        #expect(progress.cursor == nil)
    }

    @Test("ListMultipartUploads gives its uploads and the cursor of the next page")
    func listMultipartUploads() throws {
        func page(_ markers: String) throws -> ListMultipartUploadsPage {
            try ListMultipartUploadsPage(
                body(
                    "<ListMultipartUploadsResult><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>"
                        + "<Upload><Key>a+b</Key><UploadId>u1</UploadId><Initiated>2010-11-10T20:48:33.000Z</Initiated></Upload>"
                        + markers + "</ListMultipartUploadsResult>"
                )
            )
        }
        let marked = try page("<NextKeyMarker>a+b</NextKeyMarker><NextUploadIdMarker>u1</NextUploadIdMarker>")
        #expect(
            marked.uploads == [
                ListedUpload(
                    key: Array("a b".utf8),
                    uploadID: "u1",
                    initiated: Date(timeIntervalSince1970: 1_289_422_113)
                )
            ]
        )
        let cursor = ListMultipartUploadsPage.Cursor(key: Array("a b".utf8), uploadID: "u1")
        #expect(try marked.next(after: nil) == cursor)
        #expect(try page("").next(after: nil) == cursor)
        #expect(throws: StorageError.self) { try marked.next(after: cursor) }
        let later = ListMultipartUploadsPage.Cursor(key: Array("b".utf8), uploadID: nil)
        #expect(throws: StorageError.self) { try marked.next(after: later) }
    }

    @Test("ListMultipartUploads without progress is an error, whatever cursors the server makes up")
    func endlessUploads() throws {
        func page(_ uploads: [(key: String, id: String)], next: String) throws -> ListMultipartUploadsPage {
            let listed = uploads.map { "<Upload><Key>\($0.key)</Key><UploadId>\($0.id)</UploadId></Upload>" }.joined()
            return try ListMultipartUploadsPage(
                body(
                    "<ListMultipartUploadsResult><IsTruncated>true</IsTruncated><NextKeyMarker>k</NextKeyMarker>"
                        + "<NextUploadIdMarker>\(next)</NextUploadIdMarker>\(listed)</ListMultipartUploadsResult>"
                )
            )
        }
        func refused(_ pages: [ListMultipartUploadsPage]) -> Int? {
            var progress = UploadListingProgress()
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
        // The ids of one key say nothing about an order.
        let (a, b) = (try page([("k", "9"), ("k", "5")], next: "5"), try page([("k", "7")], next: "7"))
        #expect(refused([a, b]) == nil)
        #expect(refused([a, b, a]) == 2)
        let seen = try page([("k", "9")], next: "x")
        #expect(refused([a, b, seen]) == 2)
        let (later, latest) = (try page([("l", "5")], next: "x"), try page([("m", "5")], next: "y"))
        #expect(refused([a, later, latest]) == nil)
        let earlier = try page([("j", "1")], next: "x")
        #expect(refused([b, earlier]) == 1)
        let empty = try (0...100).map { try page([], next: "\($0)") }
        #expect(refused(empty) == 100)
    }

    @Test("DeleteObjects gives an outcome for each key, in the order of the request")
    func deleteResult() throws {
        let result = try DeleteResult(
            body(
                """
                <DeleteResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Deleted><Key>b</Key></Deleted>
                <Error><Key>a&amp;&#xD;</Key><Code>AccessDenied</Code><Message>No</Message></Error>
                <Error><Key>gone</Key><Code>NoSuchKey</Code></Error>
                <Deleted><Key>a%20+</Key></Deleted></DeleteResult>
                """
            )
        )
        let keys = ["a&\r", "a%20+", "missing", "gone", "b"].map { Array($0.utf8) }
        var denied = S3ErrorDocument()
        denied.code = .accessDenied
        denied.message = "No"
        #expect(result.outcomes(for: keys) == [.failed(denied), .deleted, .unreported, .deleted, .deleted])
    }

    @Test("DeleteObjects takes 2,500 keys with line breaks and ampersands, in three responses")
    func manyKeys() throws {
        let keys = (0..<2500).map { Array("k\r\n&\($0)<é>".utf8) }
        for start in stride(from: 0, to: keys.count, by: 1000) {
            let batch = Array(keys[start..<min(start + 1000, keys.count)])
            let request = try XMLReader.read(DeleteObjectsBody.make(for: batch))
            let named = request.all("Object").compactMap { $0.bytes("Key") }
            #expect(named == batch)
            var answer = XMLWriter(root: "DeleteResult")
            for (index, key) in named.enumerated().reversed() {
                answer.begin(index % 10 == 3 ? "Error" : "Deleted")
                answer.element("Key", text: key)
                if index % 10 == 3 { answer.element("Code", text: "InternalError") }
                answer.end(index % 10 == 3 ? "Error" : "Deleted")
            }
            answer.end("DeleteResult")
            let outcomes = try DeleteResult(answer.buffer).outcomes(for: batch)
            for (index, outcome) in outcomes.enumerated() {
                if index % 10 == 3 {
                    guard case .failed(let error) = outcome, error.code == .internalError else {
                        Issue.record("\(index): \(outcome)")
                        return
                    }
                } else {
                    #expect(outcome == .deleted)
                }
            }
        }
    }

    @Test("An error without a key in DeleteObjects is about all keys that are not named")
    func generalError() throws {
        let result = try DeleteResult(
            body("<DeleteResult><Error><Code>SlowDown</Code></Error><Deleted><Key>a</Key></Deleted></DeleteResult>")
        )
        var slow = S3ErrorDocument()
        slow.code = .slowDown
        #expect(result.outcomes(for: [Array("a".utf8), Array("b".utf8)]) == [.deleted, .failed(slow)])
        #expect(isUnreadable(#expect(throws: UnusableDocument.self) { try DeleteResult(body("<html/>")) }))
    }

    @Test(
        "The completion of an upload takes any root with an entity tag, after white space",
        arguments: ["CompleteMultipartUploadResult", "CompleteMultipartUploadResponse", "x:Other xmlns:x='u'"]
    )
    func complete(root: String) throws {
        let end = root.split(separator: " ")[0]
        let text =
            "   \n\n<?xml version=\"1.0\"?><\(root)><ETag>&quot;3858f62230ac3c915f300c664312c11f-9&quot;</ETag></\(end)>"
        #expect(try CompleteMultipartUploadResult(body(text)).entityTag == "\"3858f62230ac3c915f300c664312c11f-9\"")
    }

    @Test(
        "A response with a status of success and an unusable body is unreadable",
        arguments: ["", "   ", "<CompleteMultipartUploadResult>", "<CopyObjectResult>", "<R><ETag> </ETag></R>", "OK"]
    )
    func unusable(text: String) {
        let body = body(text)
        #expect(isUnreadable(#expect(throws: UnusableDocument.self) { try CompleteMultipartUploadResult(body) }))
        #expect(isUnreadable(#expect(throws: UnusableDocument.self) { try CopyObjectResult(body) }))
        #expect(isUnreadable(#expect(throws: UnusableDocument.self) { try InitiateMultipartUploadResult(body) }))
    }

    @Test("Errors under a status of success are found in completions, copies and deletions")
    func hiddenErrors() {
        let body = body("  <Error><Code>SlowDown</Code><Message>Reduce</Message></Error>")
        func code(_ error: UnusableDocument?) -> S3ErrorCode? {
            if case .error(let document)? = error { document.code } else { nil }
        }
        #expect(code(#expect(throws: UnusableDocument.self) { try CompleteMultipartUploadResult(body) }) == .slowDown)
        #expect(code(#expect(throws: UnusableDocument.self) { try CopyObjectResult(body) }) == .slowDown)
        #expect(code(#expect(throws: UnusableDocument.self) { try DeleteResult(body) }) == .slowDown)
    }

    @Test("The results of CreateMultipartUpload and CopyObject are parsed")
    func others() throws {
        let created =
            "<InitiateMultipartUploadResult><Bucket>b</Bucket><UploadId>\n VXBsb2Fk~.-_ </UploadId></InitiateMultipartUploadResult>"
        #expect(try InitiateMultipartUploadResult(body(created)).uploadID == "VXBsb2Fk~.-_")
        let copied =
            "<CopyPartResult><LastModified>2009-10-28T22:32:00Z</LastModified><ETag>\"9b\"</ETag></CopyPartResult>"
        #expect(try CopyObjectResult(body(copied)).entityTag == "\"9b\"")
    }
}
