import Storages

/// The progress of a listing of objects, which notices one that would never end.
///
/// Pages need not be in order: some servers list directory by directory. So a page is known again by its first key,
/// which is compared with one kept from before, a later one each time that the count of pages has doubled (Brent's way
/// of finding a cycle). It costs the memory of one key, however long the listing is.
struct ListingProgress: Hashable, Sendable {
    /// The most pages in a row that may be empty: a server that passes over many deleted objects sends some.
    static let mostEmptyPages = 100

    /// The position at which the next page begins; `nil` before the first page and after the last.
    private(set) var cursor: ListCursor?
    private(set) var isAtEnd = false
    private var kept: [UInt8]?
    private var pagesSinceKept = 0
    private var pagesToKeep = 1
    private var emptyPages = 0

    /// Records a page that began at ``cursor``.
    ///
    /// - Throws: ``StorageError`` with code `unsupported` when the listing does not advance: a page comes again, too
    ///   many pages are empty, or nothing names the beginning of the next.
    mutating func advance(over page: ListObjectsPage) throws(StorageError) {
        if let first = page.first {
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
            guard emptyPages <= Self.mostEmptyPages || !page.isTruncated else { throw ListObjectsPage.doesNotAdvance }
        }
        cursor = try page.next(after: cursor)
        isAtEnd = cursor == nil
    }
}

/// The progress of a listing of multipart uploads, as ``ListingProgress``.
///
/// It costs the memory of the ids of one key's uploads.
struct UploadListingProgress: Hashable, Sendable {
    /// The upload after which the next page begins; `nil` before the first page and after the last.
    private(set) var cursor: ListMultipartUploadsPage.Cursor?
    private var key: [UInt8]?
    /// The same key read the other way.
    private var otherKey: [UInt8]?
    /// The uploads of that key that have been listed.
    private var seen: Set<String> = []
    private var emptyPages = 0

    /// Records a page that began at ``cursor``.
    ///
    /// A last page may repeat uploads: they are aborted once more, which does no harm.
    ///
    /// - Throws: ``StorageError`` with code `unsupported` when the listing does not advance.
    mutating func advance(over page: ListMultipartUploadsPage) throws(StorageError) {
        guard page.isTruncated else {
            cursor = nil
            return
        }
        if page.isInOrderOfIDs {
            cursor = try page.next(after: cursor)
            return
        }
        if let newest = page.uploads.last {
            // Uploads of one key come in the order of their beginning, so only their ids show whether they are others.
            let isSameKey = key == newest.key
            let other = newest.otherKey ?? newest.key
            let isBehind =
                (key.map { !$0.lexicographicallyPrecedes(newest.key) } ?? false)
                && (otherKey.map { !$0.lexicographicallyPrecedes(other) } ?? false)
            guard isSameKey ? !seen.contains(newest.uploadID) : !isBehind else { throw ListObjectsPage.doesNotAdvance }
            if !isSameKey { seen = [] }
            key = newest.key
            otherKey = other
            for upload in page.uploads where upload.key == newest.key { seen.insert(upload.uploadID) }
            emptyPages = 0
        } else {
            emptyPages += 1
            guard emptyPages <= ListingProgress.mostEmptyPages else { throw ListObjectsPage.doesNotAdvance }
        }
        cursor = try page.next(after: cursor)
    }
}
