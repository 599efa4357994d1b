import Foundation
import NIOCore
import Storages

/// A multipart upload that has neither been completed nor aborted.
struct ListedUpload: Hashable, Sendable {
    /// The key, which is not always UTF-8.
    var key: [UInt8]
    var uploadID: String
    var initiated: Date?
    /// The key read the other way, where the listing can be read both ways: Ceph encodes keys when it is asked to, and
    /// does not say so.
    var otherKey: [UInt8]?

    /// Returns whether it is an upload of a name, in one of the ways to read its key.
    func isOf(_ name: String) -> Bool {
        key.elementsEqual(name.utf8) || otherKey?.elementsEqual(name.utf8) == true
    }
}

/// A page of ListMultipartUploads.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html>
struct ListMultipartUploadsPage: Sendable {
    /// The upload after which a page begins: a key, and an upload among those of the same key; an upload alone where
    /// the listing is in the order of their ids.
    struct Cursor: Hashable, Sendable {
        var key: [UInt8]?
        var uploadID: String?
    }

    var uploads: [ListedUpload]
    /// A Boolean value that indicates whether there are more pages.
    var isTruncated: Bool
    private var marker: (key: ListingMarker, uploadID: String?)?
    /// The id of the upload that the next page begins after, when the response names no key for it.
    private var uploadMarker: String?

    /// Reads a page.
    ///
    /// - Parameters:
    ///   - body: The document.
    ///   - prefix: The prefix of the request.
    init(_ body: ByteBuffer, prefix: String = "") throws(UnusableDocument) {
        let root = try S3Document.root(of: body, named: ["ListMultipartUploadsResult"])
        let elements = root.all("Upload")
        let texts = elements.compactMap { $0.bytes("Key") }
        let next = root.bytes("NextKeyMarker").flatMap { $0.isEmpty ? nil : $0 }
        let encoding =
            ListingEncoding.seen(root, keys: texts, prefix: prefix)
            ?? Self.encoding(ofLastKey: texts.last, marker: next)
        uploads = []
        for element in elements {
            let text = try S3Document.required(element.bytes("Key"), "Key", in: element)
            let decoded = ListingEncoding.url.decode(text)
            uploads.append(
                ListedUpload(
                    key: encoding == .url ? decoded : text,
                    uploadID: try S3Document.required(element.string("UploadId"), "UploadId", in: element),
                    initiated: element.date("Initiated"),
                    otherKey: encoding == nil && decoded != text ? decoded : nil
                )
            )
        }
        isTruncated = root.bool("IsTruncated") ?? false
        let nextUpload = root.string("NextUploadIdMarker").flatMap { $0.isEmpty ? nil : $0 }
        if let next {
            marker = (ListingMarker(text: next, encoding: encoding), nextUpload)
        } else {
            uploadMarker = nextUpload
        }
    }

    /// A Boolean value that indicates whether the listing is in the order of the uploads' ids, and not of their keys,
    /// as SeaweedFS's is: it then names an upload to go on after and no key.
    var isInOrderOfIDs: Bool { uploadMarker != nil }

    /// Returns the encoding that a marker, which is not encoded itself, shows for the key that it names.
    private static func encoding(ofLastKey last: [UInt8]?, marker: [UInt8]?) -> ListingEncoding? {
        guard let last, let marker, marker != last else { return nil }
        return ListingEncoding.url.decode(last) == marker ? .url : nil
    }

    /// Returns the upload after which the next page begins; `nil` after the last page.
    ///
    /// - Parameter previous: The upload after which this page began; `nil` for the first.
    /// - Throws: ``StorageError`` with code `unsupported` when the listing does not advance.
    func next(after previous: Cursor?) throws(StorageError) -> Cursor? {
        guard isTruncated else { return nil }
        if let uploadMarker {
            if let previous = previous?.uploadID, !previous.utf8.lexicographicallyPrecedes(uploadMarker.utf8) {
                throw ListObjectsPage.doesNotAdvance
            }
            return Cursor(key: nil, uploadID: uploadMarker)
        }
        // Uploads of one key come in the order of their beginning, so their ids say nothing about who comes first.
        guard let cursor = cursor(after: previous), cursor != previous, let key = cursor.key,
            previous?.key.map({ !key.lexicographicallyPrecedes($0) }) ?? true
        else { throw ListObjectsPage.doesNotAdvance }
        return cursor
    }

    private func cursor(after previous: Cursor?) -> Cursor? {
        let last = uploads.last
        guard let marker else { return last.map { Cursor(key: $0.key, uploadID: $0.uploadID) } }
        if let last, last.otherKey == nil, marker.key.names(last.key) {
            return Cursor(key: last.key, uploadID: marker.uploadID)
        }
        if last != nil, let encoding = marker.key.encoding {
            return Cursor(key: encoding.decode(marker.key.text), uploadID: marker.uploadID)
        }
        // Of two uploads of one key the second begins no page of another key.
        let key = previous?.key.flatMap { marker.key.names($0) ? $0 : nil }
        return Cursor(key: key ?? marker.key.key(after: previous?.key), uploadID: marker.uploadID)
    }
}
