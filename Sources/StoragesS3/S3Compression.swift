public import Storages

/// Which uploads of an ``S3Storage`` are compressed, and how.
///
/// ```swift
/// import StoragesGzip
/// options.compression = S3Compression(.gzip)
/// ```
///
/// What is compressed is stored so, with a `Content-Encoding`: browsers undo it by themselves, and
/// `StoredContents.decoded(by:)` undoes it here. The sizes that the storage tells of, and ranges, are those of the stored
/// bytes; an ``UploadedFile`` tells size and SHA-256 of the bytes that were given.
///
/// An upload that has a content encoding of its own, by ``S3ObjectParameters/contentEncoding``, is left alone, and so are
/// direct uploads and copies.
public struct S3Compression: Sendable {
    /// The coding.
    public var coding: any ContentCoding
    /// The types of files that are compressed.
    ///
    /// Those of images, films and archives do not get smaller. Leave out, too, what image fields keep: the size of an image is
    /// read from its first bytes as they are stored. Default: ``textTypes``.
    public var types: Set<ContentType>

    /// Creates a rule.
    ///
    /// - Parameters:
    ///   - coding: The coding, such as `.gzip` of the product `StoragesGzip`.
    ///   - types: The types of files that are compressed. Default: ``textTypes``.
    public init(_ coding: some ContentCoding, types: Set<ContentType> = S3Compression.textTypes) {
        self.coding = coding
        self.types = types
    }

    /// Style sheets, scripts and SVG, as django-storages has it.
    public static let textTypes: Set<ContentType> = [
        "text/css", "text/javascript", "application/javascript", "application/x-javascript", "image/svg+xml",
    ]

    /// The coding of an upload.
    ///
    /// - Parameter parameters: What is stored with it.
    func coding(for parameters: S3ObjectParameters) -> (any ContentCoding)? {
        guard parameters.contentEncoding == nil, let type = parameters.contentType.flatMap({ ContentType($0) }) else {
            return nil
        }
        return types.contains(type) ? coding : nil
    }
}
