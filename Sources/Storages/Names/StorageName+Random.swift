import Foundation

extension StorageName {
    /// The name a field stores a file under: `<path>/<26 characters>/<original, sanitised>`.
    ///
    /// The 26 characters are a ``timeOrderedID()``: no two uploads share a name, and names sort by the time they were
    /// made.
    ///
    /// - Parameters:
    ///   - path: The directory, such as `covers`; empty for none. Must be valid already.
    ///   - original: The file's name as a client sent it, taken as by ``init(original:contentType:policy:)``.
    ///   - contentType: The type of the file, for originals of which nothing is left. Default: none.
    ///   - policy: Which characters of the original stay. Default: ``StorageNamePolicy/unicode``.
    /// - Returns: A name that is unique without looking at the storage.
    /// - Throws: ``StorageError`` with code ``StorageError/Code/invalidName`` when the path is not valid or the
    ///   original is hostile.
    public static func unique(
        path: String,
        original: String,
        contentType: ContentType? = nil,
        policy: StorageNamePolicy = .unicode
    ) throws -> StorageName {
        let file = try StorageName(original: original, contentType: contentType, policy: policy).string
        let unique = StorageName(unchecked: "\(timeOrderedID())/\(file)")
        guard !path.isEmpty else { return unique }
        return try StorageName(validating: path).appending(unique)
    }

    /// 26 characters that sort by time and cannot be guessed: 48 bits of milliseconds since 1970, 80 random bits.
    ///
    /// The layout of a ULID in Crockford's base 32, in lower case. The random bits come from the system's generator.
    ///
    /// - Returns: 26 characters of `0…9 a…z` without `i l o u`.
    public static func timeOrderedID() -> String {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let milliseconds = UInt64(max(0, now.tv_sec)) * 1000 + UInt64(now.tv_nsec) / 1_000_000
        return timeOrderedID(milliseconds: milliseconds)
    }

    static func timeOrderedID(milliseconds: UInt64) -> String {
        var generator = SystemRandomNumberGenerator()
        let high: UInt64 = generator.next()
        let low: UInt64 = generator.next()
        return String(unsafeUninitializedCapacity: 26) { output in
            // Ten digits of time: 50 bits, of which the upper two are zero until the year 10889.
            for index in 0..<10 {
                output[index] = digit(milliseconds >> UInt64(45 - 5 * index))
            }
            for index in 0..<8 {
                output[10 + index] = digit(high >> UInt64(5 * index))
                output[18 + index] = digit(low >> UInt64(5 * index))
            }
            return 26
        }
    }

    /// This name with 20 random characters (100 bits) before its extension.
    ///
    /// `cat.jpg` becomes `cat-1y4kz0f8w3b6n9q2d5hj.jpg`. Enough randomness that two are never equal, also in storages
    /// that cannot refuse a name that is taken. A stem that gets too long is cut, down to nothing, and an extension
    /// longer than half of the room there is is cut with it.
    ///
    /// - Returns: A name in the same directory, and with the same extension unless that is very long.
    /// - Throws: ``StorageError`` with code ``StorageError/Code/invalidName`` when the directory alone leaves no room
    ///   for the suffix in 1024 bytes.
    public func withRandomSuffix() throws -> StorageName {
        var generator = SystemRandomNumberGenerator()
        let high: UInt64 = generator.next()
        let low: UInt64 = generator.next()
        let suffix = String(unsafeUninitializedCapacity: 21) { output in
            output[0] = UInt8(ascii: "-")
            for index in 0..<10 {
                output[1 + index] = StorageName.digit(high >> UInt64(5 * index))
                output[11 + index] = StorageName.digit(low >> UInt64(5 * index))
            }
            return 21
        }
        let directory = directory.map { $0 + "/" } ?? ""
        let parts = NameParts(lastComponent)
        let room = min(Self.maxSegmentBytes, Self.maxBytes - directory.utf8.count) - 21
        guard room >= 0 else {
            throw StorageError(
                .invalidName,
                "The name is taken, and its directory leaves no room for a random suffix. Use a shorter directory.",
                name: self
            )
        }
        let isShort = parts.suffix.utf8.count <= room / 2
        let ending = isShort ? parts.suffix : ""
        let stem = NameSanitizer.prefix(of: isShort ? parts.stem : lastComponent, bytes: room - ending.utf8.count)
        return StorageName(unchecked: directory + stem + suffix + ending)
    }

    // Crockford's alphabet: digits and letters without i, l, o, u.
    private static func digit(_ value: UInt64) -> UInt8 {
        let index = UInt8(truncatingIfNeeded: value & 31)
        switch index {
        case 0..<10: return 0x30 + index
        case 10..<18: return 0x61 + (index - 10)
        case 18..<20: return 0x6A + (index - 18)
        case 20..<22: return 0x6D + (index - 20)
        case 22..<27: return 0x70 + (index - 22)
        default: return 0x76 + (index - 27)
        }
    }
}
