import Foundation
import NIOCore
public import Storages
import StoragesHTTP

extension S3Storage {
    /// Opens the current version of a file, or a part of it.
    ///
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>
    ///
    /// Bytes arrive as they are read. An interrupted transfer goes on where it was, as long as the file is the same
    /// version; large files are fetched in several ranges at the same time, in memory that does not depend on the
    /// file's size.
    ///
    /// - Parameters:
    ///   - name: The file.
    ///   - options: A range, a version, progress.
    /// - Returns: The contents of one version.
    /// - Throws: ``StorageError`` with code ``StorageError/Code/notFound``, ``StorageError/Code/invalidRange``,
    ///   ``StorageError/Code/preconditionFailed``, ``StorageError/Code/permissionDenied``,
    ///   ``StorageError/Code/unavailable`` or ``StorageError/Code/timeout``; its ``StorageError/underlying`` is an
    ///   ``S3ErrorDetails``. Reading throws ``StorageError/Code/changedDuringRead`` when the file was replaced
    ///   meanwhile, and ``StorageError/Code/corrupted`` when the bytes do not match the check that the server has of
    ///   them.
    public func open(_ name: StorageName, options: OpenOptions) async throws -> StoredContents {
        try await open(name, version: nil, reading: options)
    }

    func open(_ name: StorageName, version: String?, reading options: OpenOptions) async throws -> StoredContents {
        try name.requireSafe(in: label)
        return try await reporting(name) {
            if let range = options.range, S3Range.isEmpty(range) {
                return try await openSized(name, version: version, range, options)
            }
            let request = try download(
                name,
                version: version,
                range: S3Range.header(options.range),
                ifMatch: options.ifMatch
            )
            do {
                return try contents(of: name, version: version, try await client.open(request), options)
            } catch let failure as S3Failure where failure.status == 416 {
                // The range begins behind the end, or the file is empty, where no range is valid: the size decides.
                return try await openSized(name, version: version, options.range ?? .from(0), options)
            }
        }
    }

    /// Returns what the server knows about the current version of a file, with one `HEAD` request.
    ///
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html>
    ///
    /// - Parameter name: The file.
    /// - Returns: Size, type, tag, date, disposition, cache control and metadata.
    /// - Throws: ``StorageError`` with code ``StorageError/Code/notFound`` when no file has the name, and as
    ///   ``open(_:options:)``. A bucket that is not there looks like a file that is not there.
    public func info(for name: StorageName) async throws -> FileInfo {
        try name.requireSafe(in: label)
        return try await reporting(name) { try await head(name).info }
    }

    // MARK: Requests

    /// The headers of a response to HeadObject, and the description of the object in them.
    struct Head {
        var info: FileInfo
        var headers: HTTPHeaders
        /// The value that identifies the upload that made the object, when this library made it.
        var nonce: String? { headers[UploadNonce.header] }
        /// The object, as the response to its upload would have described it.
        var written: WrittenObject { WrittenObject(headers) }
    }

    private var metadata: UserMetadata { UserMetadata(encoding: options.metadataEncoding) }

    /// Requests the headers of an object.
    ///
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html>
    func head(_ name: StorageName, version: String? = nil) async throws -> Head {
        let operation = S3Operation("HeadObject", .head, key: name.string)
            .headers(try accessHeaders(of: name))
            .version(version)
        return try await client.perform(operation) { response in
            let headers = response.headers
            guard let info = FileInfo(name, headers, metadata), !ResponseOrigin.isForeignSuccess(headers) else {
                throw UnusableDocument.unreadable("The response does not have the size of the object, as S3's do.")
            }
            return Head(info: info, headers: headers)
        }
    }

    /// The request for the bytes of an object.
    ///
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>
    func download(
        _ name: StorageName,
        version: String?,
        range: String?,
        ifMatch tag: String?
    ) throws -> S3Operation {
        S3Operation("GetObject", .get, key: name.string)
            .headers(try accessHeaders(of: name))
            .header("Range", range)
            .header("If-Match", tag)
            .headers(range == nil ? integrity.downloadHeaders : [:])
            .version(version)
            .timeout(nil)
    }

    private func accessHeaders(of name: StorageName) throws -> HTTPHeaders {
        var headers = try parameters(for: name).accessHeaders(isSecure: client.isSecure)
        // Otherwise the bytes of a compressed object come decompressed, and more than announced.
        if client.profile.mayDecompress { headers["Accept-Encoding"] = "gzip" }
        return headers
    }

    private func contents(
        of name: StorageName,
        version: String?,
        _ response: HTTPResponse,
        _ options: OpenOptions
    ) throws -> StoredContents {
        let head = try DownloadHead(name, response, metadata, storage: label)
        // An open download that is not read does not keep its connection from others, when reading can go on with
        // another one.
        if head.isAsStored, head.strongTag != nil { response.allowSettingAside() }
        // Not every server evaluates If-Match.
        try options.requireMatch(head.info.entityTag, of: name, in: label)
        let range = try options.range?.resolved(head.info.byteCount) ?? 0..<head.info.byteCount
        return StoredContents(
            info: head.info,
            range: range,
            progress: options.progress,
            chunks: S3Download(storage: self, name: name, version: version, head: head, range: range, first: response)
        )
    }

    /// Opens a range, mostly an empty one, that can be resolved only when the size is known.
    private func openSized(
        _ name: StorageName,
        version: String?,
        _ range: ByteRange,
        _ options: OpenOptions
    ) async throws -> StoredContents {
        let info = try await head(name, version: version).info
        try options.requireMatch(info.entityTag, of: name, in: label)
        let resolved = try range.resolved(info.byteCount)
        guard resolved.isEmpty else {
            // The server may not know that a range may end behind the end of the file.
            let request = S3Range.header(.bytes(resolved))
            let operation = try download(name, version: version, range: request, ifMatch: info.entityTag)
            var exact = options
            exact.range = .bytes(resolved)
            return try contents(of: name, version: version, try await client.open(operation), exact)
        }
        return StoredContents(info: info, range: resolved, progress: options.progress, buffer: ByteBuffer())
    }
}

/// The `Range` header of HTTP.
///
/// <https://www.rfc-editor.org/rfc/rfc9110#section-14.1.2>
enum S3Range {
    /// Returns whether a range has no bytes, which the header cannot express.
    static func isEmpty(_ range: ByteRange) -> Bool {
        switch range {
        case .bytes(let range): range.isEmpty || range.lowerBound < 0
        case .first(let count), .last(let count): count <= 0
        case .from(let offset): offset < 0
        }
    }

    static func header(_ range: ByteRange?) -> String? {
        switch range {
        case nil: nil
        case .bytes(let range): "bytes=\(range.lowerBound)-\(range.upperBound - 1)"
        case .first(let count): "bytes=0-\(count - 1)"
        case .last(let count): "bytes=-\(count)"
        case .from(0): nil
        case .from(let offset): "bytes=\(offset)-"
        }
    }
}
