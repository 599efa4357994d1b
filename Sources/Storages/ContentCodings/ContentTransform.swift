public import NIOCore

/// Makes other bytes of the bytes of one file, piece by piece, in constant memory.
///
/// Used by one task at a time.
public protocol ContentTransform: AnyObject {
    /// Takes bytes in and gives bytes out.
    ///
    /// - Parameter input: What comes next; what is taken is gone from it. Empty when there is nothing new.
    /// - Returns: 1 byte to 256 KiB; ask again with what is left of the input. `nil` when all input is taken and more
    ///   is needed.
    /// - Throws: ``StorageError`` with code ``StorageError/Code/corrupted`` for input that makes no sense.
    func next(from input: inout ByteBuffer) throws -> ByteBuffer?

    /// Gives what is left when no input comes any more.
    ///
    /// - Returns: 1 byte to 256 KiB; ask again. `nil` at the end.
    /// - Throws: ``StorageError`` with code ``StorageError/Code/corrupted`` when the input ended too early.
    func finish() throws -> ByteBuffer?
}
