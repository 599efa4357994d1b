import Foundation
import NIOCore
import Storages

/// A part of an upload that the server has.
struct ListedPart: Hashable, Sendable {
    var number: Int
    var size: Int64
    /// With its quotes.
    var entityTag: String
    var lastModified: Date?
}

/// A page of ListParts.
struct ListPartsPage: Hashable, Sendable {
    var parts: [ListedPart]
    /// Whether there is more.
    var isTruncated: Bool
    private var marker: Int?

    init(_ body: ByteBuffer) throws(UnusableDocument) {
        let root = try S3Document.root(of: body, named: ["ListPartsResult"])
        parts = []
        for element in root.all("Part") {
            let number = element.integer("PartNumber").flatMap { Int(exactly: $0) }
            parts.append(
                ListedPart(
                    number: try S3Document.required(number, "PartNumber", in: element),
                    size: try S3Document.required(
                        element.integer("Size").flatMap { $0 >= 0 ? $0 : nil },
                        "Size",
                        in: element
                    ),
                    entityTag: try S3Document.required(element.string("ETag"), "ETag", in: element),
                    lastModified: element.date("LastModified")
                )
            )
        }
        isTruncated = root.bool("IsTruncated") ?? false
        marker = root.integer("NextPartNumberMarker").flatMap { Int(exactly: $0) } ?? parts.map(\.number).max()
    }

    /// The part number after which the next page begins; `nil` after the last page.
    ///
    /// - Parameter previous: The number after which this page began; 0 for the first.
    /// - Throws: ``StorageError`` with code `unsupported` when the listing does not get on.
    func next(after previous: Int) throws(StorageError) -> Int? {
        guard isTruncated else { return nil }
        guard let marker, marker > previous else { throw ListObjectsPage.doesNotAdvance }
        return marker
    }
}
