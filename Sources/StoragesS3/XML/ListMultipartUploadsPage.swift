import Foundation
import NIOCore
import Storages

/// An upload in parts that has neither been completed nor aborted.
struct ListedUpload: Hashable, Sendable {
    /// Not always UTF-8.
    var key: [UInt8]
    var uploadID: String
    var initiated: Date?
}

/// A page of ListMultipartUploads.
struct ListMultipartUploadsPage: Hashable, Sendable {
    /// After which upload a page begins: a key, and an upload among those of the same key.
    struct Cursor: Hashable, Sendable {
        var key: [UInt8]
        var uploadID: String?
    }

    var uploads: [ListedUpload]
    /// Whether there is more.
    var isTruncated: Bool
    private var cursor: Cursor?

    init(_ body: ByteBuffer) throws(UnusableDocument) {
        let root = try S3Document.root(of: body, named: ["ListMultipartUploadsResult"])
        let encoding = ListingEncoding(root)
        uploads = []
        for element in root.all("Upload") {
            uploads.append(
                ListedUpload(
                    key: encoding.decode(try S3Document.required(element.bytes("Key"), "Key", in: element)),
                    uploadID: try S3Document.required(element.string("UploadId"), "UploadId", in: element),
                    initiated: element.date("Initiated")
                )
            )
        }
        isTruncated = root.bool("IsTruncated") ?? false
        if let key = root.bytes("NextKeyMarker"), !key.isEmpty {
            cursor = Cursor(key: encoding.decode(key), uploadID: root.string("NextUploadIdMarker"))
        } else {
            cursor = uploads.last.map { Cursor(key: $0.key, uploadID: $0.uploadID) }
        }
    }

    /// Where the next page begins; `nil` after the last one.
    ///
    /// - Parameter previous: Where this page began; `nil` for the first.
    /// - Throws: ``StorageError`` with code `unsupported` when the listing does not get on.
    func next(after previous: Cursor?) throws(StorageError) -> Cursor? {
        guard isTruncated else { return nil }
        // Uploads of one key come in the order of their beginning, so their ids say nothing about who comes first.
        guard let cursor, cursor != previous, previous.map({ !cursor.key.lexicographicallyPrecedes($0.key) }) ?? true
        else { throw ListObjectsPage.doesNotAdvance }
        return cursor
    }
}
