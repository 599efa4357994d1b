import Foundation
import NIOCore
import Storages

/// An object in a listing.
struct ListedObject: Hashable, Sendable {
    /// The key, which is not always UTF-8.
    var key: [UInt8]
    var size: Int64
    /// The entity tag with its quotes.
    var entityTag: String?
    var lastModified: Date?
}

/// The position at which the next page of a listing begins.
enum ListCursor: Hashable, Sendable {
    /// The continuation token of version 2.
    case token(String)
    /// The marker of version 1: the last key or prefix that has been seen.
    case marker([UInt8])
}

/// A page of ListObjects, version 1 or 2.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>
struct ListObjectsPage: Sendable {
    var objects: [ListedObject]
    /// The prefixes that end in the delimiter, each named once for all keys that begin with it.
    var commonPrefixes: [[UInt8]]
    /// A Boolean value that indicates whether there are more pages.
    var isTruncated: Bool
    private var token: String?
    private var marker: ListingMarker?

    /// Reads a page.
    ///
    /// - Parameters:
    ///   - body: The document.
    ///   - prefix: The prefix of the request.
    init(_ body: ByteBuffer, prefix: String = "") throws(UnusableDocument) {
        let root = try S3Document.root(of: body, named: ["ListBucketResult", "ListBucketV2Result"])
        let texts =
            root.all("Contents").compactMap { $0.bytes("Key") }
            + root.all("CommonPrefixes").flatMap { $0.all("Prefix").map(\.text) }
        let encoding = ListingEncoding.seen(root, keys: texts, prefix: prefix) ?? .plain
        objects = []
        commonPrefixes = []
        for element in root.children {
            switch element.name {
            case "Contents": objects.append(try ListedObject(element, encoding: encoding))
            case "CommonPrefixes": commonPrefixes += element.all("Prefix").map { encoding.decode($0.text) }
            default: break
            }
        }
        isTruncated = try S3Document.required(root.bool("IsTruncated"), "IsTruncated", in: root)
        token = root.string("NextContinuationToken")
        if let text = root.bytes("NextMarker"), !text.isEmpty { marker = ListingMarker(text: text, encoding: encoding) }
    }

    /// The first key or prefix; `nil` for an empty page.
    var first: [UInt8]? { objects.first?.key ?? commonPrefixes.first }

    /// The greatest key or prefix; `nil` for an empty page.
    var last: [UInt8]? {
        [objects.last?.key, commonPrefixes.last].compactMap(\.self).max { $0.lexicographicallyPrecedes($1) }
    }

    /// Returns the position at which the next page begins; `nil` after the last page.
    ///
    /// A server that does not support version 2, or gives no token, is asked with version 1 for what comes after the
    /// last key.
    ///
    /// - Parameter cursor: The position at which this page began; `nil` for the first.
    /// - Throws: ``StorageError`` with code `unsupported` when the listing does not advance.
    func next(after cursor: ListCursor?) throws(StorageError) -> ListCursor? {
        guard isTruncated else { return nil }
        let next: ListCursor?
        if let token {
            next = .token(token)
        } else {
            next = after(cursor).map { .marker($0) }
        }
        switch (cursor, next) {
        case (_, nil):
            throw ListObjectsPage.doesNotAdvance
        case (.token(let old)?, .token(let new)?) where old == new:
            throw ListObjectsPage.doesNotAdvance
        case (.marker(let old)?, .marker(let new)?) where !old.lexicographicallyPrecedes(new):
            throw ListObjectsPage.doesNotAdvance
        default:
            return next
        }
    }

    /// Returns the last key or prefix of the page, which is beyond doubt; the marker counts where the page has nothing,
    /// and where it has prefixes, behind which there may be keys that are not listed.
    private func after(_ cursor: ListCursor?) -> [UInt8]? {
        guard let marker else { return last }
        guard let last else {
            if case .marker(let previous)? = cursor { return marker.key(after: previous) }
            return marker.key(after: nil)
        }
        return commonPrefixes.isEmpty || marker.names(last) ? last : (marker.encoding ?? .plain).decode(marker.text)
    }

    /// Returns a key as the marker of a request, which has to be UTF-8.
    static func marker(_ key: [UInt8]) throws(StorageError) -> String {
        guard let marker = String(validating: key, as: UTF8.self) else { throw doesNotAdvance }
        return marker
    }

    static let doesNotAdvance = StorageError(
        .unsupported,
        "The server's listing does not get on: it repeats itself, or says that there is more, but not where. Choose "
            + "the server's kind in the option server, or another listVersion of it."
    )
}

extension ListedObject {
    fileprivate init(_ element: XMLElement, encoding: ListingEncoding) throws(UnusableDocument) {
        key = encoding.decode(try S3Document.required(element.bytes("Key"), "Key", in: element))
        size = try S3Document.required(element.integer("Size").flatMap { $0 >= 0 ? $0 : nil }, "Size", in: element)
        entityTag = element.string("ETag")
        lastModified = element.date("LastModified")
    }
}
