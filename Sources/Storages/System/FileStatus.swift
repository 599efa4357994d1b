import Platform

/// The result of `fstat` for a file, in plain integers.
struct FileStatus: Equatable, Sendable {
    enum Kind: Sendable { case file, directory, symbolicLink, other }

    var kind: Kind
    var device: UInt64
    var inode: UInt64
    var size: Int64
    var seconds: Int64
    var nanoseconds: Int64

    /// Opaque text that is different for different contents under one name: (inode, size, modification time) in
    /// hexadecimal.
    var entityTag: String {
        let numbers = (
            inode, UInt64(bitPattern: size), UInt64(bitPattern: seconds &* 1_000_000_000 &+ nanoseconds)
        )
        // Each opening of a file makes one, so it is written in place.
        return String(unsafeUninitializedCapacity: 50) { output in
            var count = 0
            func write(_ number: UInt64) {
                var shift = number == 0 ? 0 : (63 - number.leadingZeroBitCount) / 4 * 4
                while shift >= 0 {
                    let digit = UInt8(truncatingIfNeeded: number >> UInt64(shift) & 15)
                    output[count] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") - 10 + digit
                    count += 1
                    shift -= 4
                }
            }
            func writeSeparator() {
                output[count] = UInt8(ascii: "-")
                count += 1
            }
            write(numbers.0)
            writeSeparator()
            write(numbers.1)
            writeSeparator()
            write(numbers.2)
            return count
        }
    }

    /// Returns whether a name in a directory is this very file.
    func isEntry(_ name: UnsafePointer<CChar>, in directory: Descriptor) -> Bool {
        guard let there = try? SystemCall.status(of: name, in: directory) else { return false }
        return there.inode == inode && there.device == device
    }

    init(_ raw: stat) {
        switch raw.st_mode & S_IFMT {
        case S_IFREG: kind = .file
        case S_IFDIR: kind = .directory
        case S_IFLNK: kind = .symbolicLink
        default: kind = .other
        }
        device = UInt64(truncatingIfNeeded: raw.st_dev)
        inode = UInt64(raw.st_ino)
        size = Int64(raw.st_size)
        #if canImport(Darwin)
            let modified = raw.st_mtimespec
        #else
            let modified = raw.st_mtim
        #endif
        seconds = Int64(modified.tv_sec)
        nanoseconds = Int64(modified.tv_nsec)
    }
}
