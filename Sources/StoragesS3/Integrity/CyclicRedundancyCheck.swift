import NIOCore

/// A cyclic redundancy check in reflected form, with all ones at the beginning and inverted at the end.
///
/// It takes 16 bytes a step, with a table for each of their places.
struct CyclicRedundancyCheck<Word: FixedWidthInteger & UnsignedInteger & Sendable>: Sendable {
    /// The 16 tables of 256 words, the one for the last place first.
    private let tables: [Word]
    private var register = Word.max

    /// Creates a check over no bytes yet.
    ///
    /// - Parameter tables: The tables of ``makeTables(polynomial:)``, kept by the user of the polynomial.
    init(tables: [Word]) {
        self.tables = tables
    }

    static func makeTables(polynomial: Word) -> [Word] {
        var tables = [Word](repeating: 0, count: 16 * 256)
        for byte in 0..<256 {
            var word = Word(byte)
            for _ in 0..<8 { word = word & 1 == 1 ? word >> 1 ^ polynomial : word >> 1 }
            tables[byte] = word
        }
        for index in 256..<tables.count {
            let previous = tables[index - 256]
            tables[index] = previous >> 8 ^ tables[Int(previous & 0xFF)]
        }
        return tables
    }

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        let register = self.register
        self.register = tables.withUnsafeBufferPointer { tables in
            Self.update(register, with: bytes, tables: tables)
        }
    }

    private static func update(
        _ initial: Word,
        with bytes: UnsafeRawBufferPointer,
        tables: UnsafeBufferPointer<Word>
    ) -> Word {
        var register = initial
        var offset = 0
        while bytes.count - offset >= 16 {
            let low =
                UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) ^ UInt64(register)
            let high = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self))
            register =
                lookUp(low, in: tables, from: 8 * 256) ^ lookUp(high, in: tables, from: 0)
            offset += 16
        }
        while offset < bytes.count {
            register = register >> 8 ^ tables[Int(UInt8(truncatingIfNeeded: register) ^ bytes[offset])]
            offset += 1
        }
        return register
    }

    /// Returns the contribution of eight bytes, the first of which is in the last of eight tables.
    @inline(__always)
    private static func lookUp(_ bytes: UInt64, in tables: UnsafeBufferPointer<Word>, from base: Int) -> Word {
        let first =
            tables[base + 1792 + Int(bytes & 0xFF)]
            ^ tables[base + 1536 + Int(bytes >> 8 & 0xFF)]
            ^ tables[base + 1280 + Int(bytes >> 16 & 0xFF)]
            ^ tables[base + 1024 + Int(bytes >> 24 & 0xFF)]
        let second =
            tables[base + 768 + Int(bytes >> 32 & 0xFF)]
            ^ tables[base + 512 + Int(bytes >> 40 & 0xFF)]
            ^ tables[base + 256 + Int(bytes >> 48 & 0xFF)]
            ^ tables[base + Int(bytes >> 56)]
        return first ^ second
    }

    /// The checksum of the bytes so far.
    var value: Word { ~register }

    /// The checksum with its most significant byte first.
    var bytes: [UInt8] {
        withUnsafeBytes(of: value.bigEndian) { Array($0) }
    }
}

/// The tables, made once a process, when first used; stored properties of generic types cannot be static.
private enum Tables {
    static let crc32 = CyclicRedundancyCheck<UInt32>.makeTables(polynomial: 0xEDB8_8320)
    static let crc32c = CyclicRedundancyCheck<UInt32>.makeTables(polynomial: 0x82F6_3B78)
    static let crc64nvme = CyclicRedundancyCheck<UInt64>.makeTables(polynomial: 0x9A6C_9329_AC4B_C9B5)
}

extension CyclicRedundancyCheck<UInt32> {
    /// CRC-32 as in zlib and Ethernet.
    static var crc32: Self { Self(tables: Tables.crc32) }
    /// CRC-32C, with Castagnoli's polynomial.
    static var crc32c: Self { Self(tables: Tables.crc32c) }
}

extension CyclicRedundancyCheck<UInt64> {
    /// CRC-64/NVME.
    static var crc64nvme: Self { Self(tables: Tables.crc64nvme) }
}
