import CLibCrypto
package import NIOCore

extension [UInt8] {
    /// Overwrites the bytes, in a way no optimiser drops, and empties the array.
    ///
    /// It reaches this array only. A `String` made of the bytes is a copy that Swift cannot wipe.
    package mutating func wipe() {
        withUnsafeMutableBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            OPENSSL_cleanse(base, bytes.count)
        }
        removeAll()
    }
}

extension ByteBuffer {
    /// Overwrites the readable bytes and empties the buffer, as `[UInt8].wipe()` does.
    package mutating func wipe() {
        withUnsafeMutableReadableBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            OPENSSL_cleanse(base, bytes.count)
        }
        clear()
    }
}
