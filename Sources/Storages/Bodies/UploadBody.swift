public import Foundation
public import NIOCore

/// The bytes of an upload: in memory, in a file, or coming from a sequence.
///
/// A storage reads a body once, in chunks of at most 256 KiB, and asks for the next one only when it has room: a slow
/// disk slows the source. Small pieces are gathered, so that their number costs neither memory nor system calls. A body
/// of bytes or of a file may be uploaded again; one of a sequence only once.
public struct UploadBody: Sendable {
    /// The number of bytes, when it is known without touching a disk; for a file ask ``measuredLength()``.
    ///
    /// A source that delivers another number fails the upload with ``StorageError/Code/sourceFailed``.
    public let length: Int64?

    let source: Source

    enum Source: Sendable {
        case buffer(ByteBuffer)
        case file(String)
        /// A file whose path does not count any more, and what was read of it when it was opened.
        case openedFile(FileReader, beginning: ByteBuffer)
        case stream(OneTimeSource)
    }

    init(length: Int64?, source: Source) {
        self.length = length
        self.source = source
    }

    /// The bytes of a collection.
    ///
    /// - Parameter bytes: Such as `[UInt8]`; copied once.
    /// - Returns: A body of known length.
    public static func bytes(_ bytes: some Collection<UInt8>) -> UploadBody {
        .buffer(ByteBuffer(bytes: bytes))
    }

    /// The readable bytes of a buffer.
    ///
    /// - Parameter buffer: The bytes; not copied.
    /// - Returns: A body of known length.
    public static func buffer(_ buffer: ByteBuffer) -> UploadBody {
        UploadBody(length: Int64(buffer.readableBytes), source: .buffer(buffer))
    }

    /// The bytes of a `Data`.
    ///
    /// - Parameter data: The bytes; copied once.
    /// - Returns: A body of known length.
    public static func data(_ data: Data) -> UploadBody {
        .bytes(data)
    }

    /// The UTF-8 bytes of a text.
    ///
    /// - Parameter string: The text.
    /// - Returns: A body of known length.
    public static func string(_ string: String) -> UploadBody {
        .buffer(ByteBuffer(string: string))
    }

    /// A file of the local file system, read on threads of its own while it is sent.
    ///
    /// - Parameter path: A path to a regular file. It is opened when the upload begins; its size then is the length.
    ///   One that is changed while it is read fails the upload with ``StorageError/Code/sourceFailed``.
    /// - Returns: A body whose ``length`` is `nil` and whose ``measuredLength()`` is the file's size.
    public static func file(_ path: String) -> UploadBody {
        UploadBody(length: nil, source: .file(path))
    }

    /// The buffers of a sequence, such as the body of a request.
    ///
    /// - Parameters:
    ///   - chunks: Buffers of any size; iterated once.
    ///   - length: The number of bytes that must come. Default: unknown.
    /// - Returns: A body that can be uploaded once.
    public static func stream<Chunks: AsyncSequence & Sendable>(
        _ chunks: Chunks,
        length: Int64? = nil
    ) -> UploadBody where Chunks.Element == ByteBuffer {
        UploadBody(
            length: length,
            source: .stream(
                OneTimeSource {
                    var iterator = chunks.makeAsyncIterator()
                    return { try await iterator.next(isolation: #isolation) }
                }
            )
        )
    }

    /// The bytes of a sequence of single bytes, gathered into chunks.
    ///
    /// - Parameters:
    ///   - bytes: The bytes; iterated once.
    ///   - length: The number of bytes that must come. Default: unknown.
    /// - Returns: A body that can be uploaded once.
    public static func byteStream<Bytes: AsyncSequence & Sendable>(
        _ bytes: Bytes,
        length: Int64? = nil
    ) -> UploadBody where Bytes.Element == UInt8 {
        UploadBody(
            length: length,
            source: .stream(
                OneTimeSource {
                    var iterator = bytes.makeAsyncIterator()
                    return {
                        var chunk = ByteBuffer()
                        while chunk.readableBytes < byteStreamChunk {
                            guard let byte = try await iterator.next(isolation: #isolation) else { break }
                            chunk.writeInteger(byte)
                        }
                        return chunk.readableBytes > 0 ? chunk : nil
                    }
                }
            )
        )
    }

    /// The number of bytes: ``length``, or for a file its size now.
    ///
    /// - Returns: The number of bytes, `nil` for a sequence of unknown length.
    /// - Throws: ``StorageError`` with code ``StorageError/Code/sourceFailed`` when the file cannot be opened.
    public func measuredLength() async throws -> Int64? {
        guard case .file(let path) = source else { return length }
        return try await FileReader.open(path).reader.length
    }

    /// The bytes, in chunks of 1 byte to 256 KiB.
    ///
    /// Errors of the source come as ``StorageError/Code/sourceFailed`` with the source's own error as
    /// ``StorageError/underlying``; `CancellationError` passes through.
    public var chunks: Chunks { Chunks(body: self) }
}

/// The size of the chunks into which single bytes are gathered, 64 KiB, so that a slow source of few bytes does not
/// fill much memory.
private let byteStreamChunk = 64 * 1024
