/// A way to keep bytes smaller than they are, such as gzip: what HTTP calls a content coding (RFC 9110 section 8.4.1).
///
/// The product `StoragesGzip` has one, `.gzip`.
public protocol ContentCoding: Sendable {
    /// The name in `Content-Encoding`, in lower case, such as `gzip`.
    var name: String { get }

    /// The most bytes that so many bytes become.
    ///
    /// - Parameter byteCount: Before encoding, 0 or more.
    /// - Returns: A bound for bytes that cannot be made smaller.
    func largestEncodedSize(of byteCount: Int64) -> Int64

    /// Begins to encode one file.
    ///
    /// - Returns: What takes the bytes of the file and gives the encoded ones.
    /// - Throws: ``StorageError`` with code ``StorageError/Code/unavailable`` when there is no memory.
    func makeEncoder() throws -> any ContentTransform

    /// Begins to decode one file.
    ///
    /// - Returns: What takes encoded bytes and gives those of the file. Throws ``StorageError`` with code
    ///   ``StorageError/Code/corrupted`` when given what no encoder makes.
    /// - Throws: ``StorageError`` with code ``StorageError/Code/unavailable`` when there is no memory.
    func makeDecoder() throws -> any ContentTransform
}
