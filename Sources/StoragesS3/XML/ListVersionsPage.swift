import Foundation
import NIOCore
import Storages

/// A version of an object, or a delete marker.
struct ListedVersion: Hashable, Sendable {
    /// The key, which is not always UTF-8.
    var key: [UInt8]
    /// The id of the version; `null` for one that was stored while the bucket kept no versions.
    var versionID: String
    var isMarker: Bool
}

/// A page of ListObjectVersions.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html>
struct ListVersionsPage: Sendable {
    /// The version after which a page begins.
    struct Cursor: Hashable, Sendable {
        var key: [UInt8]
        var versionID: String?
    }

    /// The versions and markers together, in the server's order.
    var versions: [ListedVersion]
    /// A Boolean value that indicates whether there are more pages.
    var isTruncated: Bool
    /// A Boolean value that indicates whether it is a listing of versions at all: a server that does not know the
    /// parameter lists objects instead.
    let isOfVersions: Bool
    private var marker: (key: ListingMarker, versionID: String?)?

    /// Reads a page.
    ///
    /// - Parameters:
    ///   - body: The document.
    ///   - prefix: The prefix of the request.
    init(_ body: ByteBuffer, prefix: String = "") throws(UnusableDocument) {
        let root = try S3Document.root(of: body, named: ["ListVersionsResult", "ListBucketResult"])
        isOfVersions = root.name != "ListBucketResult"
        let elements = root.children.filter { $0.name == "Version" || $0.name == "DeleteMarker" }
        let encoding =
            ListingEncoding.seen(root, keys: elements.compactMap { $0.bytes("Key") }, prefix: prefix) ?? .plain
        versions = []
        for element in elements {
            versions.append(
                ListedVersion(
                    key: encoding.decode(try S3Document.required(element.bytes("Key"), "Key", in: element)),
                    // A server that keeps no versions names none, and takes this for what there is.
                    versionID: element.string("VersionId") ?? "null",
                    isMarker: element.name == "DeleteMarker"
                )
            )
        }
        isTruncated = try S3Document.required(root.bool("IsTruncated"), "IsTruncated", in: root)
        if let key = root.bytes("NextKeyMarker"), !key.isEmpty {
            marker = (ListingMarker(text: key, encoding: encoding), root.string("NextVersionIdMarker"))
        }
    }

    /// Returns the version after which the next page begins; `nil` after the last page.
    ///
    /// - Parameter previous: The version after which this page began; `nil` for the first.
    /// - Throws: ``StorageError`` with code `unsupported` when the listing does not advance.
    func next(after previous: Cursor?) throws(StorageError) -> Cursor? {
        guard isTruncated else { return nil }
        // Versions of one key come newest first, and their ids say nothing about it.
        guard let cursor = cursor(after: previous), cursor != previous else { throw ListObjectsPage.doesNotAdvance }
        return cursor
    }

    private func cursor(after previous: Cursor?) -> Cursor? {
        let last = versions.last.map { Cursor(key: $0.key, versionID: $0.versionID) }
        guard let marker else { return last }
        guard let last else { return Cursor(key: marker.key.key(after: previous?.key), versionID: marker.versionID) }
        if marker.key.names(last.key) { return Cursor(key: last.key, versionID: marker.versionID) }
        return Cursor(key: (marker.key.encoding ?? .plain).decode(marker.key.text), versionID: marker.versionID)
    }
}

/// The progress of a listing of versions, which notices one that would never end, as ``ListingProgress`` does.
struct VersionListingProgress: Hashable, Sendable {
    /// The version after which the next page begins; `nil` before the first page and after the last.
    private(set) var cursor: ListVersionsPage.Cursor?
    private var kept: ListedVersion?
    private var pagesSinceKept = 0
    private var pagesToKeep = 1
    private var emptyPages = 0

    /// Records a page that began at ``cursor``.
    ///
    /// - Throws: ``StorageError`` with code `unsupported` when the listing does not advance.
    mutating func advance(over page: ListVersionsPage) throws(StorageError) {
        if let first = page.versions.first {
            guard first != kept else { throw ListObjectsPage.doesNotAdvance }
            pagesSinceKept += 1
            if pagesSinceKept >= pagesToKeep {
                kept = first
                pagesSinceKept = 0
                pagesToKeep *= 2
            }
            emptyPages = 0
        } else {
            emptyPages += 1
            guard emptyPages <= ListingProgress.mostEmptyPages || !page.isTruncated else {
                throw ListObjectsPage.doesNotAdvance
            }
        }
        cursor = try page.next(after: cursor)
    }
}
