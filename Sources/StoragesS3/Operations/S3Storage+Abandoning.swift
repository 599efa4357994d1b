public import Foundation
import NIOCore
public import Storages
import StoragesHTTP

extension S3Storage {
    /// Aborts the multipart uploads of files that are not wanted any more.
    ///
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html>
    ///
    /// - Parameter names: The names.
    /// - Throws: ``StorageError`` when an upload may still go on; `CancellationError`.
    public func abandonUploads(of names: [StorageName]) async throws {
        for name in names {
            try name.requireSafe(in: label)
            try await reporting(name) {
                try await abortUploads(of: name)
            }
        }
    }

    /// Aborts the multipart uploads that were begun before a moment, such as those of processes that died.
    ///
    /// A lifecycle rule of the bucket, AbortIncompleteMultipartUpload, does the same where the server has such rules.
    ///
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html>
    ///
    /// - Parameters:
    ///   - date: Uploads begun later are left alone. Leave more time than the slowest upload takes.
    ///   - prefix: The prefix of the keys. Default: all keys.
    /// - Returns: The number of uploads that were aborted; those that were gone before do not count.
    /// - Throws: ``StorageError`` when the server refuses, or does not respond, and with code
    ///   ``StorageError/Code/unavailable`` when it goes on to list uploads that it does not know when they are to be
    ///   aborted; `CancellationError`.
    @discardableResult
    public func abortUploads(olderThan date: Date, prefix: String = "") async throws -> Int {
        try await reporting {
            var count = 0
            // The uploads that the server did not know by their keys, which may be misread.
            var unknown: Set<String> = []
            try await forEachUpload(prefix: prefix) { upload in
                guard let initiated = upload.initiated, initiated < date else { return }
                for key in [upload.key, upload.otherKey].compactMap(\.self) {
                    guard let key = String(validating: key, as: UTF8.self) else { continue }
                    if try await abort(key, uploadID: upload.uploadID) {
                        count += 1
                        return
                    }
                }
                unknown.insert(upload.uploadID)
            }
            if !unknown.isEmpty {
                try await forEachUpload(prefix: prefix) { upload in
                    if unknown.contains(upload.uploadID) { throw stillListed(upload.uploadID, besides: count) }
                }
            }
            return count
        }
    }

    /// Aborts the multipart uploads of one name, until none is listed any more.
    ///
    /// - Parameters:
    ///   - name: The name.
    ///   - onAbort: Called for each upload that was aborted, rather than gone before.
    /// - Throws: As ``abandonUploads(of:)``; ``S3Failure``.
    func abortUploads(of name: StorageName, _ onAbort: () -> Void = {}) async throws {
        var found: Set<String> = []
        try await forEachUpload(prefix: name.string) { upload in
            guard upload.isOf(name.string) else { return }
            found.insert(upload.uploadID)
            if try await abort(name.string, uploadID: upload.uploadID) { onAbort() }
        }
        guard !found.isEmpty else { return }
        // An abort to which the server responds with "no such upload" may have named a wrong key.
        try await forEachUpload(prefix: name.string) { upload in
            if found.contains(upload.uploadID), upload.isOf(name.string) {
                throw stillListed(upload.uploadID, besides: 0)
            }
        }
    }

    private func stillListed(_ uploadID: String, besides count: Int) -> StorageError {
        StorageError(
            .unavailable,
            "The server still lists the upload \(StorageError.quoted(uploadID)) after it was aborted"
                + (count > 0 ? "; \(count) others are gone" : "")
                + ". Abort it later; if it stays, choose the server's "
                + "kind in the option server.",
            storage: label
        )
    }

    /// Passes the multipart uploads whose keys begin with a prefix to a closure, page by page.
    func forEachUpload(prefix: String, _ body: (ListedUpload) async throws -> Void) async throws {
        var progress = UploadListingProgress()
        repeat {
            guard let page = try await uploads(prefix: prefix, after: progress.cursor) else { return }
            try progress.advance(over: page)
            for upload in page.uploads { try await body(upload) }
        } while progress.cursor != nil
    }

    /// Returns a page of the multipart uploads; `nil` where there are none, or the server cannot list them.
    ///
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html>
    private func uploads(
        prefix: String,
        after cursor: ListMultipartUploadsPage.Cursor?
    ) async throws -> ListMultipartUploadsPage? {
        let isEncoded = client.profile.encodesListings && client.profile.encodesUploadListings
        let operation = S3Operation("ListMultipartUploads", .get)
            .headers(options.objectParameters.accountHeaders)
            .query("uploads")
            .query("max-uploads", "1000")
            .query("prefix", prefix)
            .query("encoding-type", isEncoded ? "url" : nil)
            .query("key-marker", try cursor?.key.map(ListObjectsPage.marker))
            .query("upload-id-marker", cursor?.uploadID)
        do {
            return try await client.perform(operation) { try ListMultipartUploadsPage($0.body, prefix: prefix) }
        } catch let failure as S3Failure where failure.isNotImplemented {
            // A server that cannot list multipart uploads keeps none that could be aborted here.
            return nil
        } catch let failure as S3Failure where failure.code == .noSuchUpload {
            // rclone's way to say that a bucket has none.
            return nil
        }
    }
}
