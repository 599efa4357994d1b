public import Foundation
import NIOCore
public import Storages

extension S3Storage {
    /// Aborts the uploads in parts of names whose files are not wanted any more.
    ///
    /// - Parameter names: The names.
    /// - Throws: ``StorageError`` when an upload may still go on; `CancellationError`.
    public func abandonUploads(of names: [StorageName]) async throws {
        for name in names {
            try name.requireSafe(in: label)
            try await reporting(name) {
                try await forEachUpload(prefix: name.string) { upload in
                    if upload.key.elementsEqual(name.string.utf8) {
                        try await abort(name.string, upload.uploadID)
                    }
                }
            }
        }
    }

    /// Aborts the uploads in parts that were begun before a moment: what processes left behind that died.
    ///
    /// A rule of the bucket, AbortIncompleteMultipartUpload, does the same where the server has such rules.
    ///
    /// - Parameters:
    ///   - date: Uploads begun later are left alone. Leave more time than the slowest upload takes.
    ///   - prefix: Only keys that begin so. Default: all.
    /// - Returns: How many were aborted.
    /// - Throws: ``StorageError`` when the server refuses, or does not answer; `CancellationError`.
    @discardableResult
    public func abortUploads(olderThan date: Date, prefix: String = "") async throws -> Int {
        try await reporting {
            var count = 0
            try await forEachUpload(prefix: prefix) { upload in
                guard let initiated = upload.initiated, initiated < date,
                    let key = String(validating: upload.key, as: UTF8.self)
                else { return }
                try await abort(key, upload.uploadID)
                count += 1
            }
            return count
        }
    }

    func forEachUpload(prefix: String, _ body: (ListedUpload) async throws -> Void) async throws {
        var progress = UploadListingProgress()
        repeat {
            var operation = S3Operation("ListMultipartUploads", .get)
            operation.headers = options.objectParameters.accountHeaders
            operation.query = [("uploads", ""), ("max-uploads", "1000"), ("prefix", prefix)]
            if client.profile.encodesListings { operation.query.append(("encoding-type", "url")) }
            if let cursor = progress.cursor {
                guard let key = String(validating: cursor.key, as: UTF8.self) else {
                    throw ListObjectsPage.doesNotAdvance
                }
                operation.query.append(("key-marker", key))
                if let uploadID = cursor.uploadID { operation.query.append(("upload-id-marker", uploadID)) }
            }
            let page: ListMultipartUploadsPage
            do {
                page = try await client.perform(operation) { try ListMultipartUploadsPage($0.body) }
            } catch let failure as S3Failure where failure.status == 501 || failure.code == "NotImplemented" {
                // A server that cannot name them keeps none that could be given up here.
                return
            } catch let failure as S3Failure where failure.code == "NoSuchUpload" {
                // rclone's way to say that a bucket has none.
                return
            }
            try progress.advance(over: page)
            for upload in page.uploads { try await body(upload) }
        } while progress.cursor != nil
    }
}
