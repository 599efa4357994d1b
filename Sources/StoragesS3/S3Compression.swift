public import Storages

/// The rule that decides which uploads of an ``S3Storage`` are compressed, and in which content coding.
///
/// ```swift
/// import StoragesGzip
/// options.compression = S3Compression(.gzip)
/// ```
///
/// Compressed files are stored with a `Content-Encoding`: browsers decompress them by themselves, and
/// `StoredContents.decoded(by:)` does so here. The sizes and ranges of the storage are those of the stored bytes; an
/// ``UploadedFile`` has the size and SHA-256 of the bytes that were given.
///
/// An upload that has a content encoding of its own, by ``S3ObjectParameters/contentEncoding``, is left alone, and so
/// are direct uploads and copies.
public struct S3Compression: Sendable {
    /// The content coding.
    public var coding: any ContentCoding
    /// The types of files that are compressed.
    ///
    /// Images, films and archives do not get smaller. Leave out, too, the types of image fields: the size of an image
    /// is read from its first bytes as they are stored. Default: ``textTypes``.
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

    /// The types of style sheets, scripts and SVG, as in django-storages.
    public static let textTypes: Set<ContentType> = [
        "text/css", "text/javascript", "application/javascript", "application/x-javascript", "image/svg+xml",
    ]

    /// Returns the content coding of an upload; `nil` to store it unchanged.
    ///
    /// - Parameter parameters: The parameters that are stored with it.
    func coding(for parameters: S3ObjectParameters) -> (any ContentCoding)? {
        guard parameters.contentEncoding == nil, let type = parameters.contentType.flatMap({ ContentType($0) }) else {
            return nil
        }
        return types.contains(type) ? coding : nil
    }
}
