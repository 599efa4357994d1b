import Foundation
import NIOCore
import Storages

/// An upload in parts that has neither been completed nor aborted.
struct ListedUpload: Hashable, Sendable {
    /// Not always UTF-8.
    var key: [UInt8]
    var uploadID: String
    var initiated: Date?
    /// The key as the other way to read it has it, where the listing can be read both ways: Ceph encodes keys when it
    /// is asked to, and does not say so.
    var otherKey: [UInt8]?

    /// Whether it is an upload of a name, in one of the ways to read its key.
    func isOf(_ name: String) -> Bool {
        key.elementsEqual(name.utf8) || otherKey?.elementsEqual(name.utf8) == true
    }
}

/// A page of ListMultipartUploads.
struct ListMultipartUploadsPage: Sendable {
    /// After which upload a page begins: a key, and an upload among those of the same key; an upload alone where the
    /// listing is in the order of their ids.
    struct Cursor: Hashable, Sendable {
        var key: [UInt8]?
        var uploadID: String?
    }

    var uploads: [ListedUpload]
    /// Whether there is more.
    var isTruncated: Bool
    private var marker: (key: ListingMarker, uploadID: String?)?
    /// The upload that the next page begins after, when it is not said which key has it.
    private var uploadMarker: String?

    /// Reads a page.
    ///
    /// - Parameters:
    ///   - body: The document.
    ///   - prefix: What was asked for.
    init(_ body: ByteBuffer, prefix: String = "") throws(UnusableDocument) {
        let root = try S3Document.root(of: body, named: ["ListMultipartUploadsResult"])
        let elements = root.all("Upload")
        let texts = elements.compactMap { $0.bytes("Key") }
        let next = root.bytes("NextKeyMarker").flatMap { $0.isEmpty ? nil : $0 }
        let encoding = ListingEncoding.seen(root, keys: texts, prefix: prefix) ?? Self.encoding(texts.last, next)
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

    /// Whether the listing is in the order of the uploads' ids, and not of their keys, as SeaweedFS's is: it then names
    /// an upload to go on after and no key.
    var isInOrderOfIDs: Bool { uploadMarker != nil }

    /// What a marker that is not encoded says of the key that it names.
    private static func encoding(_ last: [UInt8]?, _ marker: [UInt8]?) -> ListingEncoding? {
        guard let last, let marker, marker != last else { return nil }
        return ListingEncoding.url.decode(last) == marker ? .url : nil
    }

    /// Where the next page begins; `nil` after the last one.
    ///
    /// - Parameter previous: Where this page began; `nil` for the first.
    /// - Throws: ``StorageError`` with code `unsupported` when the listing does not get on.
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
