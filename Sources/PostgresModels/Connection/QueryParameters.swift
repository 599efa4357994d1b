package import NIOCore

/// The bound values of one statement: binary, each with its type OID, all bytes in one buffer.
package struct QueryParameters: Sendable {
    /// The type OIDs, in the order $1, $2, …; 0 lets the server infer the type.
    package private(set) var oids: [UInt32] = []
    /// The byte counts in the same order; -1 is SQL NULL.
    package private(set) var lengths: [Int32] = []
    /// The bytes of all values, one after the other.
    package private(set) var bytes: ByteBuffer

    /// Creates an empty list of parameters.
    ///
    /// - Parameter capacity: how many bytes to reserve for values.
    package init(capacity: Int = 0) {
        bytes = ByteBuffer()
        if capacity > 0 { bytes.reserveCapacity(capacity) }
    }

    /// The number of values that are bound.
    package var count: Int {
        oids.count
    }

    /// Binds one value that `write` appends to the buffer in the binary format of the type.
    ///
    /// When `write` throws, nothing is bound.
    package mutating func append(oid: UInt32, _ write: (inout ByteBuffer) throws -> Void) throws {
        let start = bytes.writerIndex
        do {
            try write(&bytes)
        } catch {
            bytes.moveWriterIndex(to: start)
            throw error
        }
        guard let length = Int32(exactly: bytes.writerIndex - start) else {
            bytes.moveWriterIndex(to: start)
            throw DatabaseError(
                code: .invalidArgument,
                message: "Value $\(count + 1) is larger than 2 GiB, the limit of the protocol. Store it as a file."
            )
        }
        oids.append(oid)
        lengths.append(length)
    }

    /// Binds SQL NULL.
    package mutating func appendNull(oid: UInt32) {
        oids.append(oid)
        lengths.append(-1)
    }
}
