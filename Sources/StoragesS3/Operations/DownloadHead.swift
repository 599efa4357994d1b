import Foundation
import Storages
import StoragesHTTP

/// The description of an object, and of the bytes that follow, in the headers of a response to GetObject.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>
struct DownloadHead: Sendable {
    var info: FileInfo
    /// The offsets of the bytes that the response delivers.
    var delivered: Range<Int64>
    /// A strong entity tag, which names exactly these bytes, and with which an interrupted transfer can go on.
    var strongTag: String?
    /// A Boolean value that indicates whether the bytes arrive as they are stored, and are not decompressed on the way.
    var isAsStored: Bool
    var headers: HTTPHeaders

    init(_ name: StorageName, _ response: HTTPResponse, _ metadata: UserMetadata, storage: String) throws {
        headers = response.headers
        guard var info = FileInfo(name, headers, metadata) else { throw Self.unreadable(name, storage) }
        // Some servers send a part with status 200.
        if response.status == 206 || headers["Content-Range"] != nil {
            guard let (range, total) = Self.contentRange(headers["Content-Range"]),
                range.upperBound - range.lowerBound == info.byteCount
            else { throw Self.unreadable(name, storage) }
            delivered = range
            info.byteCount = total
        } else {
            delivered = 0..<info.byteCount
        }
        self.info = info
        strongTag = info.entityTag.flatMap { $0.hasPrefix("W/") ? nil : $0 }
        let stored = response.headers["x-goog-stored-content-encoding"] ?? "identity"
        isAsStored = stored == "identity" || stored == response.headers["Content-Encoding"]
    }

    /// Parses a `Content-Range` header, such as `bytes 0-499/1234`.
    ///
    /// <https://www.rfc-editor.org/rfc/rfc9110#section-14.4>
    static func contentRange(_ text: String?) -> (Range<Int64>, total: Int64)? {
        guard let text, text.utf8.starts(with: "bytes ".utf8) else { return nil }
        let parts = text.dropFirst(6).split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let total = Int64(parts[1]) else { return nil }
        let bounds = parts[0].split(separator: "-", omittingEmptySubsequences: false)
        guard bounds.count == 2, let first = Int64(bounds[0]), let last = Int64(bounds[1]), first >= 0, last >= first,
            last < total
        else { return nil }
        return (first..<(last + 1), total)
    }

    private static func unreadable(_ name: StorageName, _ storage: String) -> StorageError {
        StorageError(
            .unavailable,
            "The server's response does not say how many bytes it has, or which part of the file. Check the endpoint, "
                + "and what stands between this machine and it.",
            name: name,
            storage: storage
        )
    }
}

extension FileInfo {
    /// Creates a description from the headers of a response; `nil` when they do not say how many bytes there are.
    init?(_ name: StorageName, _ headers: HTTPHeaders, _ metadata: UserMetadata) {
        guard let count = headers["Content-Length"].flatMap({ Int64($0) }), count >= 0 else { return nil }
        self.init(
            name: name,
            byteCount: count,
            contentType: headers["Content-Type"].flatMap { ContentType($0) },
            entityTag: headers["ETag"].map(EntityTag.quoted),
            modified: headers["Last-Modified"].flatMap { HTTPDate.date(from: $0) },
            contentDisposition: headers["Content-Disposition"],
            cacheControl: headers["Cache-Control"],
            metadata: metadata.values(in: headers),
            versionID: headers["x-amz-version-id"],
            contentEncoding: Self.coding(headers["Content-Encoding"])
        )
    }

    /// The content codings of the stored bytes, without `aws-chunked`, which some servers store although it is only a
    /// coding of the upload.
    private static func coding(_ field: String?) -> String? {
        let codings = (field ?? "").split(separator: ",").map { $0.drop { $0 == " " }.lowercased() }
            .filter { !["", "identity", "aws-chunked"].contains($0) }
        return codings.isEmpty ? nil : codings.joined(separator: ",")
    }
}
