/// A part of a file.
public enum ByteRange: Hashable, Sendable {
    /// The bytes from the lower bound up to, not including, the upper bound; cut at the end of the file.
    case bytes(Range<Int64>)
    /// The first so many bytes, or all when there are fewer.
    case first(Int64)
    /// The last so many bytes, or all when there are fewer.
    case last(Int64)
    /// All bytes from an offset to the end.
    case from(Int64)

    /// The half-open range of offsets in a file of a known size.
    ///
    /// As RFC 9110 section 14.1.2 defines it for HTTP, the end is cut at the end of the file, while a range that
    /// starts at or after the end cannot be satisfied. A start at 0 in an empty file gives the empty range.
    ///
    /// - Parameter size: The size of the file in bytes.
    /// - Returns: A range within `0..<size`.
    /// - Throws: ``StorageError`` with code ``StorageError/Code/invalidRange`` when it starts behind the end, or a
    ///   number is negative.
    public func resolved(_ size: Int64) throws -> Range<Int64> {
        switch self {
        case .bytes(let range):
            guard range.lowerBound >= 0 else { throw refusal("starts before the first byte", size) }
            guard
                range.lowerBound < size || (range.lowerBound == 0 && size == 0)
                    || range.isEmpty && range.lowerBound == size
            else { throw refusal("starts behind the last byte", size) }
            return range.lowerBound..<min(range.upperBound, size)
        case .first(let count):
            guard count >= 0 else { throw refusal("has a negative count", size) }
            return 0..<min(count, size)
        case .last(let count):
            guard count >= 0 else { throw refusal("has a negative count", size) }
            return max(0, size - count)..<size
        case .from(let offset):
            guard offset >= 0 else { throw refusal("starts before the first byte", size) }
            guard offset <= size else { throw refusal("starts behind the last byte", size) }
            return offset..<size
        }
    }

    private func refusal(_ reason: String, _ size: Int64) -> StorageError {
        StorageError(
            .invalidRange,
            "The range \(self) \(reason); the file has \(size) bytes. Ask for a range inside it."
        )
    }
}
