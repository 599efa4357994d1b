import Logging
import NIOCore
public import Storages
import StoragesHTTP

extension S3Storage {
    /// The files whose keys begin with a prefix, a thousand with each request, in the order of their bytes on most
    /// servers.
    ///
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>
    ///
    /// Types and metadata are not part of a listing. Keys that no file can have as its name, which others have written,
    /// are passed over and reported by ``Storages/FileListing/reportingForeignKeys(to:during:isolation:)``; the first
    /// one is logged.
    public func list(prefix: String) -> FileListing {
        FileListing(S3Listing(storage: self, prefix: prefix))
    }

    /// Fetches the next page of a listing, and moves the progress over it.
    func page(prefix: String, _ progress: inout ListingProgress) async throws -> ListObjectsPage {
        var cursor = progress.cursor
        if cursor == nil, client.profile.listVersion == 1 { cursor = .marker([]) }
        let page: ListObjectsPage
        do {
            page = try await objects(prefix: prefix, after: cursor)
        } catch let failure as S3Failure where cursor == nil && failure.isNotImplemented {
            // Version 1 is what every server knows.
            page = try await objects(prefix: prefix, after: .marker([]))
        }
        try progress.advance(over: page)
        return page
    }

    /// Requests a page, by version 2 of the request or, after a marker, by version 1.
    ///
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>
    ///
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjects.html>
    private func objects(prefix: String, after cursor: ListCursor?) async throws -> ListObjectsPage {
        var operation = S3Operation("ListObjects", .get)
            .headers(options.objectParameters.accountHeaders)
            .query("max-keys", "1000")
            .query("prefix", prefix)
            .query("encoding-type", client.profile.encodesListings ? "url" : nil)
        switch cursor {
        case nil: operation = operation.query("list-type", "2")
        case .token(let token): operation = operation.query("list-type", "2").query("continuation-token", token)
        case .marker(let key):
            operation = operation.query("marker", key.isEmpty ? nil : try ListObjectsPage.marker(key))
        }
        return try await client.perform(operation) { try ListObjectsPage($0.body, prefix: prefix) }
    }
}

/// A listing whose pages are fetched as it is iterated.
private struct S3Listing: AsyncSequence, Sendable {
    typealias Element = FileInfo

    let storage: S3Storage
    let prefix: String

    func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(storage: storage, prefix: prefix, onForeignKey: FileListing.onForeignKey)
    }

    struct AsyncIterator: AsyncIteratorProtocol {
        let storage: S3Storage
        let prefix: String
        let onForeignKey: (@Sendable (ForeignKey) -> Void)?
        var hasLogged = false
        var objects: ArraySlice<ListedObject> = []
        var progress = ListingProgress()

        mutating func next() async throws -> FileInfo? {
            while true {
                while let object = objects.popFirst() {
                    if let info = info(object) { return info }
                }
                if progress.isAtEnd { return nil }
                let (prefix, before, storage) = (prefix, progress, storage)
                let (page, after) = try await storage.reporting {
                    var progress = before
                    let page = try await storage.page(prefix: prefix, &progress)
                    return (page, progress)
                }
                objects = page.objects[...]
                progress = after
            }
        }

        private mutating func info(_ object: ListedObject) -> FileInfo? {
            if let foreign = ForeignKey(object.key) {
                onForeignKey?(foreign)
                if !hasLogged {
                    hasLogged = true
                    storage.options.logger.warning(
                        "There are keys in the bucket that no file can have as its name; they are passed over.",
                        metadata: ["bucket": "\(storage.bucketName)", "first": "\(foreign)"]
                    )
                }
                return nil
            }
            return FileInfo(
                name: StorageName(unchecked: String(decoding: object.key, as: UTF8.self)),
                byteCount: object.size,
                entityTag: object.entityTag.map(EntityTag.quoted),
                modified: object.lastModified
            )
        }
    }
}
