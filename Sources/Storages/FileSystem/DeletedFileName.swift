/// Names that a file system gives to a file which was deleted or replaced while it was open, until it is closed.
///
/// They are entries of their directory like others, and go by themselves: files of no storage.
enum DeletedFileName {
    /// Returns whether the last segment of a path is `.nfs`, `.smb` or `.fuse_hidden` and a number in hexadecimal.
    static func isOne(_ path: String) -> Bool {
        let start = path.utf8.lastIndex(of: UInt8(ascii: "/")).map(path.utf8.index(after:)) ?? path.utf8.startIndex
        let segment = path.utf8[start...]
        guard segment.first == UInt8(ascii: ".") else { return false }
        for prefix in [".nfs", ".smb", ".fuse_hidden"] where segment.starts(with: prefix.utf8) {
            let digits = segment.dropFirst(prefix.utf8.count)
            // NFS writes 24 digits on 64-bit kernels, FUSE 16; older ones fewer.
            return digits.count >= 8 && digits.allSatisfy(isDigit)
        }
        return false
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }
}
