import NIOCore

extension QueryParameters {
    /// Appends the values of another statement.
    mutating func append(contentsOf other: QueryParameters) throws {
        var offset = other.bytes.readerIndex
        for (oid, length) in zip(other.oids, other.lengths) {
            guard length >= 0, let slice = other.bytes.getSlice(at: offset, length: Int(length)) else {
                appendNull(oid: oid)
                continue
            }
            offset += Int(length)
            try append(oid: oid) { $0.writeImmutableBuffer(slice) }
        }
    }
}
