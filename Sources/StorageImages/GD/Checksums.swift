/// CRC-32 as PNG uses it (PNG specification, annex D), eight bytes at a step.
enum CRC32 {
    private static let tables: [UInt32] = {
        var tables = [UInt32](repeating: 0, count: 8 * 256)
        for index in 0..<256 {
            var value = UInt32(index)
            for _ in 0..<8 { value = value & 1 == 1 ? 0xEDB8_8320 ^ value >> 1 : value >> 1 }
            tables[index] = value
        }
        for index in 0..<256 {
            for table in 1..<8 {
                let previous = tables[(table - 1) * 256 + index]
                tables[table * 256 + index] = tables[Int(previous & 0xFF)] ^ previous >> 8
            }
        }
        return tables
    }()

    /// The checksum of bytes, or of more bytes after those that `previous` is the checksum of.
    static func checksum(_ bytes: UnsafeRawBufferPointer, after previous: UInt32 = 0) -> UInt32 {
        var crc = ~previous
        tables.withUnsafeBufferPointer { tables in
            var index = 0
            while bytes.count - index >= 8 {
                let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self).littleEndian ^ UInt64(crc)
                crc = 0
                for lane in 0..<8 {
                    crc ^= tables[(7 - lane) * 256 + Int(truncatingIfNeeded: word >> UInt64(8 * lane) & 0xFF)]
                }
                index += 8
            }
            while index < bytes.count {
                crc = tables[Int((crc ^ UInt32(bytes[index])) & 0xFF)] ^ crc >> 8
                index += 1
            }
        }
        return ~crc
    }
}

/// Adler-32 (RFC 1950, section 8.2).
enum Adler32 {
    /// The checksum of bytes.
    static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        var low: UInt32 = 1
        var high: UInt32 = 0
        var index = 0
        while index < bytes.count {
            // 5,552 steps are the most that cannot overflow 32 bits.
            let end = min(index + 5552, bytes.count)
            while index < end {
                low &+= UInt32(bytes[index])
                high &+= low
                index += 1
            }
            low %= 65521
            high %= 65521
        }
        return high << 16 | low
    }
}
