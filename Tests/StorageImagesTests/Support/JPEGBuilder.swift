/// Writes JPEGs in which every coefficient is zero: right ones, large ones and bombs.
struct JPEGBuilder {
    var width = 64
    var height = 64
    var components = 3
    var isProgressive = false
    /// A Boolean value that indicates whether all components share a scan; otherwise each has one of its own.
    var isInterleaved = true
    /// Comments of 65,533 bytes before the frame header.
    var comments = 0
    /// Scans behind the one that has the pixels, without data.
    var extraScans = 0
    /// A Boolean value that indicates whether the scans have data; without, libjpeg makes up the pixels.
    var hasData = true

    func bytes() -> [UInt8] {
        var file: [UInt8] = [0xFF, 0xD8]
        let comment: [UInt8] = [0xFF, 0xFE, 0xFF, 0xFF] + [UInt8](repeating: 0x20, count: 65_533)
        for _ in 0..<comments { file += comment }
        file += [0xFF, 0xDB, 0, 67, 0] + [UInt8](repeating: 1, count: 64)
        file += [0xFF, isProgressive ? 0xC2 : 0xC0, 0, UInt8(8 + 3 * components), 8]
        file += [UInt8(height >> 8), UInt8(height & 255), UInt8(width >> 8), UInt8(width & 255), UInt8(components)]
        for component in 1...components { file += [UInt8(component), 0x11, 0] }
        // One code of one bit in each table: no difference, end of block.
        for table: UInt8 in [0x00, 0x10] {
            file += [0xFF, 0xC4, 0, 20, table, 1] + [UInt8](repeating: 0, count: 15) + [0]
        }
        if isInterleaved {
            file += scan(Array(1...components), hasData: hasData)
        } else {
            for component in 1...components { file += scan([component], hasData: hasData) }
        }
        for _ in 0..<extraScans { file += scan([1], hasData: false) }
        return file + [0xFF, 0xD9]
    }

    private func scan(_ parts: [Int], hasData: Bool) -> [UInt8] {
        var scan: [UInt8] = [0xFF, 0xDA, 0, UInt8(6 + 2 * parts.count), UInt8(parts.count)]
        for part in parts { scan += [UInt8(part), 0] }
        scan += [0, isProgressive ? 0 : 63, 0]
        guard hasData else { return scan }
        let blocks = (width + 7) / 8 * ((height + 7) / 8) * parts.count
        return scan + [UInt8](repeating: 0, count: (blocks * (isProgressive ? 1 : 2) + 7) / 8)
    }
}
