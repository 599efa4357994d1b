import NIOCore

/// A PNG reduced to what a decoder needs, arranged so that libpng has nothing to warn about.
///
/// gd lets libpng write its warnings to standard error. What can cause one does not get through:
///
/// - ancillary chunks (profiles, text, gamma, …), wrong or not: left out;
/// - a palette that is too short for an index: filled up; a palette where none belongs: left out;
/// - bytes after the compressed stream: cut off;
/// - a wrong check value, which libpng complains about when it arrives after the last pixel: the end of the stream is
///   put into a chunk of its own, shorter than libpng's read buffer, so that the check value always arrives together
///   with the last pixel, where a mismatch is an error and not a warning;
/// - interlacing, which gd does not turn on as libpng wants it: each of the seven passes (PNG specification, 8.2) is a
///   small picture with rows of its own, and is given to the decoder as one.
///
/// The order of checks makes errors of everything that libpng calls one: sums of critical chunks, parameters of IHDR,
/// the compressed stream.
struct PNGForDecoder {
    /// The plan for decoding a PNG.
    enum Plan {
        /// Decode these files one after the other; each must come out in the size that goes with it.
        case decode([(file: ByteBuffer, size: PixelSize)])
        /// It may be sound, but libgd cannot be made to decode it silently within bounds.
        case undecidable
    }

    /// libpng's limit for a side.
    private static let longestSide = 1_000_000
    /// The most bytes an interlaced image may inflate to; it is inflated here, and held while its passes are decoded.
    private static let mostInterlacedBytes = 64 << 20
    /// The length of the last IDAT chunk: half of libpng's read buffer (PNG_IDAT_READ_SIZE, 8,192 bytes).
    private static let tailBytes = 4096

    private let bytes: UnsafeRawBufferPointer
    private var offset = 8

    /// Makes the plan for a PNG.
    ///
    /// - Parameter file: The whole file.
    /// - Returns: What to give to libgd.
    /// - Throws: ``ImageError`` with code `.corrupt`, `.malformed` or `.truncated`.
    /// - Complexity: O(n) time; memory for one copy of the compressed pixels, or of the inflated ones when interlaced.
    static func plan(_ file: ByteBuffer) throws(ImageError) -> Plan {
        let result: Result<Plan, ImageError> = file.withUnsafeReadableBytes { bytes in
            do throws(ImageError) {
                var reader = PNGForDecoder(bytes: bytes)
                return .success(try reader.plan())
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private init(bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    private mutating func plan() throws(ImageError) -> Plan {
        guard bytes.starts(with: Self.signature) else { throw ImageError(.notAnImage, "The PNG signature is missing.") }
        guard let first = try next(), first.name == .header else {
            throw ImageError(.malformed, "The PNG does not begin with IHDR. Save the image anew.")
        }
        let header = try Header(bytes[first.body])
        try verify(first)
        guard header.size.width <= Self.longestSide, header.size.height <= Self.longestSide else { return .undecidable }

        var palette: [UInt8]?
        var chunk = try next()
        while let current = chunk, current.name != .data, current.name != .end {
            if current.name == .palette {
                try verify(current)
                palette = try header.palette(bytes[current.body], previous: palette)
            } else if current.name.isCritical {
                throw ImageError(.malformed, "The PNG has a critical chunk of an unknown kind. Save the image anew.")
            }
            chunk = try next()
        }
        guard palette != nil || header.colorType != 3 else {
            throw ImageError(.malformed, "The PNG has no palette although its pixels need one. Save the image anew.")
        }

        var stream = ByteBuffer()
        var isFirst = true
        while let current = chunk, current.name == .data {
            try verify(current)
            if isFirst { stream.reserveCapacity(min(bytes.count, Int(current.body.count) + 4096)) }
            isFirst = false
            stream.writeBytes(bytes[current.body])
            chunk = try next()
        }
        // What is between the pixels and the end does not concern the decoder, but the end must be there.
        while let current = chunk, current.name != .end { chunk = try next() }
        guard chunk != nil else { throw truncated }
        return try header.isInterlaced ? passes(header, palette, stream) : whole(header, palette, stream)
    }

    // MARK: The two ways

    private func whole(_ header: Header, _ palette: [UInt8]?, _ stream: ByteBuffer) throws(ImageError) -> Plan {
        let expected = header.byteCount(of: header.size)
        guard isWorthScanning(stream, expected: expected) else { return .undecidable }
        guard let summary = try scan(stream, expected: expected, output: nil) else { return .undecidable }
        // Empty blocks between the last pixel and the end: legal, seen nowhere, and the tail would not hold them.
        guard summary.byteCount - summary.lastOutputOffset <= Self.tailBytes,
            let trimmed = stream.getSlice(at: stream.readerIndex, length: summary.byteCount)
        else { return .undecidable }
        return .decode([(Self.file(header, size: header.size, palette, trimmed), header.size)])
    }

    private func passes(_ header: Header, _ palette: [UInt8]?, _ stream: ByteBuffer) throws(ImageError) -> Plan {
        let sizes = Self.passes.map { pass in
            PixelSize(
                width: max(0, (header.size.width - pass.x + pass.stepX - 1) / pass.stepX),
                height: max(0, (header.size.height - pass.y + pass.stepY - 1) / pass.stepY)
            )
        }.filter { $0.width > 0 && $0.height > 0 }
        let expected = sizes.reduce(0) { $0 + header.byteCount(of: $1) }
        guard expected <= Self.mostInterlacedBytes, isWorthScanning(stream, expected: expected) else {
            return .undecidable
        }
        var pixels = [UInt8](repeating: 0, count: expected)
        let outcome: Result<InflateScan.Summary?, ImageError> = pixels.withUnsafeMutableBytes { output in
            do throws(ImageError) {
                return .success(try scan(stream, expected: expected, output: output))
            } catch {
                return .failure(error)
            }
        }
        guard try outcome.get() != nil else { return .undecidable }
        var files: [(ByteBuffer, PixelSize)] = []
        var start = 0
        for size in sizes {
            let end = start + header.byteCount(of: size)
            files.append((Self.file(header, size: size, palette, Self.storedStream(pixels[start..<end])), size))
            start = end
        }
        return .decode(files)
    }

    /// Returns whether a stream is short enough to be scanned: no compressor makes bytes much longer than they are, and
    /// a stream that is holds blocks that only cost time.
    private func isWorthScanning(_ stream: ByteBuffer, expected: Int) -> Bool {
        stream.readableBytes <= expected + expected / 8 + 65_536
    }

    /// The summary of a stream that inflates to exactly the bytes of the image; `nil` when it inflates to more, or is
    /// made to cost time.
    private func scan(
        _ stream: ByteBuffer,
        expected: Int,
        output: UnsafeMutableRawBufferPointer?
    ) throws(ImageError) -> InflateScan.Summary? {
        let result: Result<InflateScan.Summary, InflateScan.Failure> = stream.withUnsafeReadableBytes { input in
            do throws(InflateScan.Failure) {
                return .success(try InflateScan.run(input, expected: expected, output: output))
            } catch {
                return .failure(error)
            }
        }
        switch result {
        case .success(let summary) where summary.outputCount == expected: return summary
        case .failure(.surplus), .failure(.tooManyBlocks): return nil
        case .failure(.truncated): throw truncated
        case .failure(.invalid):
            throw ImageError(.corrupt, "The compressed pixels of the PNG are damaged. Save the image anew.")
        case .success:
            throw ImageError(.corrupt, "The PNG has fewer pixels than its header says. Save the image anew.")
        }
    }

    // MARK: Reading chunks

    private struct Chunk {
        let name: Name
        let body: Range<Int>
    }

    private struct Name: Hashable {
        let code: UInt32

        static let header = Name(code: 0x4948_4452)
        static let palette = Name(code: 0x504C_5445)
        static let data = Name(code: 0x4944_4154)
        static let end = Name(code: 0x4945_4E44)

        /// A Boolean value that indicates whether the chunk is critical: bit 5 of the first letter (PNG specification,
        /// 5.4).
        var isCritical: Bool { code & 0x2000_0000 == 0 }
    }

    private var truncated: ImageError {
        ImageError(.truncated, "The PNG ends before its image does. Upload the whole file.")
    }

    /// The next chunk, `nil` at the end of the file.
    private mutating func next() throws(ImageError) -> Chunk? {
        guard offset < bytes.count else { return nil }
        guard bytes.count - offset >= 12 else { throw truncated }
        let length = Int(bigEndian(at: offset))
        guard length <= bytes.count - offset - 12 else { throw truncated }
        let chunk = Chunk(name: Name(code: bigEndian(at: offset + 4)), body: offset + 8..<offset + 8 + length)
        offset += 12 + length
        return chunk
    }

    private func verify(_ chunk: Chunk) throws(ImageError) {
        let covered = UnsafeRawBufferPointer(rebasing: bytes[chunk.body.lowerBound - 4..<chunk.body.upperBound])
        guard CRC32.checksum(covered) == bigEndian(at: chunk.body.upperBound) else {
            throw ImageError(.corrupt, "The PNG is damaged: a check sum is wrong. Upload the file again.")
        }
    }

    private func bigEndian(at offset: Int) -> UInt32 {
        bytes[offset..<offset + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }

    // MARK: Writing files

    private static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

    private static let passes: [(x: Int, y: Int, stepX: Int, stepY: Int)] = [
        (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2),
    ]

    private static func file(_ header: Header, size: PixelSize, _ palette: [UInt8]?, _ stream: ByteBuffer) -> ByteBuffer
    {
        var file = ByteBuffer()
        file.reserveCapacity(stream.readableBytes + 1024)
        file.writeBytes(signature)
        var parameters = ByteBuffer()
        parameters.writeMultipleIntegers(UInt32(size.width), UInt32(size.height), header.bitDepth, header.colorType)
        parameters.writeMultipleIntegers(UInt8(0), UInt8(0), UInt8(0))
        write(.header, parameters, into: &file)
        if let palette { write(.palette, ByteBuffer(bytes: palette), into: &file) }
        var tail = stream
        if let head = tail.readSlice(length: max(0, stream.readableBytes - tailBytes)), head.readableBytes > 0 {
            write(.data, head, into: &file)
        }
        write(.data, tail, into: &file)
        write(.end, ByteBuffer(), into: &file)
        return file
    }

    private static func write(_ name: Name, _ body: ByteBuffer, into file: inout ByteBuffer) {
        file.writeInteger(UInt32(body.readableBytes))
        let start = file.writerIndex
        file.writeInteger(name.code)
        file.writeImmutableBuffer(body)
        let crc = file.withUnsafeReadableBytes { bytes in
            CRC32.checksum(UnsafeRawBufferPointer(rebasing: bytes[(start - file.readerIndex)...]))
        }
        file.writeInteger(crc)
    }

    /// A zlib stream that stores bytes as they are (RFC 1951, section 3.2.4).
    private static func storedStream(_ bytes: ArraySlice<UInt8>) -> ByteBuffer {
        var stream = ByteBuffer()
        stream.reserveCapacity(bytes.count + bytes.count / 65535 * 5 + 16)
        stream.writeMultipleIntegers(UInt8(0x78), UInt8(0x01))
        var start = bytes.startIndex
        repeat {
            let end = min(start + 65535, bytes.endIndex)
            stream.writeInteger(UInt8(end == bytes.endIndex ? 1 : 0))
            stream.writeInteger(UInt16(end - start), endianness: .little)
            stream.writeInteger(~UInt16(end - start), endianness: .little)
            stream.writeBytes(bytes[start..<end])
            start = end
        } while start < bytes.endIndex
        stream.writeInteger(bytes.withUnsafeBytes { Adler32.checksum($0) })
        return stream
    }

    // MARK: Parameters

    /// IHDR (PNG specification, 11.2.1), checked as libpng checks it.
    private struct Header {
        let size: PixelSize
        let bitDepth: UInt8
        let colorType: UInt8
        let isInterlaced: Bool

        init(_ body: Slice<UnsafeRawBufferPointer>) throws(ImageError) {
            let field = UnsafeRawBufferPointer(rebasing: body)
            let allowedDepths: [UInt8: [UInt8]] = [
                0: [1, 2, 4, 8, 16], 2: [8, 16], 3: [1, 2, 4, 8], 4: [8, 16], 6: [8, 16],
            ]
            guard field.count == 13,
                allowedDepths[field[9]]?.contains(field[8]) == true,
                field[10] == 0, field[11] == 0, field[12] <= 1
            else { throw ImageError(.malformed, "IHDR of the PNG has a value that no version of PNG knows.") }
            let width = field[0..<4].reduce(0) { $0 << 8 | Int($1) }
            let height = field[4..<8].reduce(0) { $0 << 8 | Int($1) }
            guard width > 0, height > 0, width <= Int32.max, height <= Int32.max else {
                throw ImageError(.malformed, "The PNG claims to be \(width) pixels wide and \(height) high.")
            }
            size = PixelSize(width: width, height: height)
            bitDepth = field[8]
            colorType = field[9]
            isInterlaced = field[12] == 1
        }

        /// The inflated bytes of a picture of this kind: a filter byte and the packed samples for each row.
        func byteCount(of size: PixelSize) -> Int {
            let channels = [0: 1, 2: 3, 3: 1, 4: 2, 6: 4][Int(colorType)] ?? 4
            return size.height * (1 + (size.width * channels * Int(bitDepth) + 7) / 8)
        }

        /// The palette with as many entries as the depth can name; `nil` where none is needed.
        func palette(_ body: Slice<UnsafeRawBufferPointer>, previous: [UInt8]?) throws(ImageError) -> [UInt8]? {
            guard colorType == 3 else { return nil }
            guard previous == nil, body.count % 3 == 0, (3...768).contains(body.count) else {
                throw ImageError(.malformed, "The palette of the PNG is damaged. Save the image anew.")
            }
            let count = 3 << Int(bitDepth)
            return Array(body.prefix(count)) + [UInt8](repeating: 0, count: max(0, count - body.count))
        }
    }
}
