import NIOCore
import Storages

extension ImageProber {
    /// The result of one pass over the stream of a file.
    private enum Pass {
        case over(ImageProbeResult)
        case decode(ByteBuffer, ImageScan.Result, ImageDecoder.Admission)
        /// The header came so late that the bytes before it were let go.
        case late(ImageHeader, hasSeveralScans: Bool, version: Version)
        /// The header lies far ahead.
        case ahead
    }

    /// The version of a file that a second open must find.
    private struct Version {
        let byteCount: Int64
        let entityTag: String?
    }

    /// The most bytes that are kept before the header is known, or before it is known how much a decode takes.
    private static let mostBytesBeforeHeader = 1 << 20
    private static let largestWindow = 1 << 20
    /// Chains of large segments, such as those of extended XMP, are rare; from here on they are read in large steps.
    private static let smallWindows = 4

    // MARK: Verified

    func probeVerified(_ file: StorageFile) async throws -> ImageProbeResult {
        // The stream is let go of with the pass, before anything else is opened.
        switch try await firstPass(file) {
        case .over(let result):
            return result
        case .decode(let bytes, let found, let admission):
            return try await verify(bytes, found, admission)
        case .late(let header, let hasSeveralScans, let version):
            return try await secondPass(file, header, hasSeveralScans: hasSeveralScans, version)
        case .ahead:
            // The formats whose headers may lie anywhere are those that are not decoded in this process.
            let (header, version) = try await findHeader(file)
            guard try ImageGuard(limits: limits).check(header, byteCount: version.byteCount) == .decode else {
                return result(header, isVerified: false, isTruncated: false)
            }
            return try await secondPass(file, header, hasSeveralScans: true, version)
        }
    }

    private func firstPass(_ file: StorageFile) async throws -> Pass {
        let contents = try await file.open(options: OpenOptions(range: wholeRange(of: file)))
        let total = contents.info.byteCount
        var scan = ImageScan(limits: limits, totalSize: total)
        var bytes = ByteBuffer()
        var isKeeping = true
        var admission: ImageDecoder.Admission?
        for try await var chunk in contents {
            try scan.consume(chunk)
            if let header = scan.header, admission == nil {
                // All that is known of the file is known now; leaving the loop lets go of the stream.
                guard try ImageGuard(limits: limits).check(header, byteCount: total) == .decode else {
                    return .over(result(header, isVerified: false, isTruncated: false))
                }
                let isLarge = bytes.readableBytes + chunk.readableBytes > Self.mostBytesBeforeHeader
                let hasSeveralScans = scan.hasSeveralScans ?? true
                guard isKeeping else {
                    let version = Version(byteCount: total, entityTag: contents.info.entityTag)
                    return .late(header, hasSeveralScans: hasSeveralScans, version: version)
                }
                if isLarge || scan.hasSeveralScans != nil {
                    admission = try await decoder.admit(header, byteCount: total, hasSeveralScans: hasSeveralScans)
                    guard admission != nil else {
                        return .over(result(header, isVerified: false, isTruncated: false))
                    }
                    bytes.reserveCapacity(Int(clamping: total))
                }
            } else if scan.header == nil {
                if bytes.readableBytes + chunk.readableBytes > Self.mostBytesBeforeHeader {
                    isKeeping = false
                    bytes = ByteBuffer()
                }
                if !isKeeping, scan.distanceToHeader > Self.largestWindow { return .ahead }
            }
            if isKeeping { bytes.writeBuffer(&chunk) }
        }
        guard total <= limits.maxFileBytes else { throw ImageGuard(limits: limits).tooManyBytes }
        let found = try scan.finish()
        if admission == nil, isKeeping, found.verdict == .decode { admission = try await admit(found) }
        guard found.verdict == .decode, let admission else {
            return .over(result(found.header, isVerified: false, isTruncated: found.isTruncated))
        }
        return .decode(bytes, found, admission)
    }

    /// Reads a file whose header is known from its beginning, and decodes it.
    private func secondPass(
        _ file: StorageFile,
        _ header: ImageHeader,
        hasSeveralScans: Bool,
        _ version: Version
    ) async throws -> ImageProbeResult {
        let admitted = try await decoder.admit(
            header,
            byteCount: version.byteCount,
            hasSeveralScans: hasSeveralScans
        )
        guard let admission = admitted else { return result(header, isVerified: false, isTruncated: false) }
        let options = OpenOptions(range: wholeRange(of: file), ifMatch: version.entityTag)
        let contents = try await file.open(options: options)
        var scan = ImageScan(limits: limits, totalSize: version.byteCount)
        var bytes = ByteBuffer()
        bytes.reserveCapacity(Int(clamping: version.byteCount))
        for try await var chunk in contents {
            try scan.consume(chunk)
            bytes.writeBuffer(&chunk)
            guard bytes.readableBytes <= version.byteCount else { break }
        }
        let found = try scan.finish()
        // A storage without tags cannot refuse another version itself.
        guard found.byteCount == version.byteCount, found.header.codedSize == header.codedSize else {
            throw StorageError(
                .changedDuringRead,
                "The file was replaced while it was being probed. Probe it again.",
                name: file.name
            )
        }
        return try await verify(bytes, found, admission)
    }

    /// The whole file, but no more than an image may have; without a range from storages that have none.
    private func wholeRange(of file: StorageFile) -> ByteRange? {
        file.storage.capabilities.contains(.rangedRead) ? .first(limits.maxFileBytes) : nil
    }

    // MARK: Header only

    func probeHeader(_ file: StorageFile) async throws -> ImageProbeResult {
        let (header, version) = try await findHeader(file)
        _ = try ImageGuard(limits: limits).check(header, byteCount: version.byteCount)
        return result(header, isVerified: false, isTruncated: false)
    }

    private func findHeader(_ file: StorageFile) async throws -> (ImageHeader, Version) {
        let hasRanges = file.storage.capabilities.contains(.rangedRead)
        var parser = ImageHeaderParser()
        var range: ByteRange? = hasRanges ? .first(Int64(ImageHeaderParser.windowSize)) : nil
        var version: Version?
        var windows = 0
        while true {
            // Later windows must be of the same version.
            let contents = try await file.open(options: OpenOptions(range: range, ifMatch: version?.entityTag))
            windows += 1
            let current =
                version
                ?? Version(
                    byteCount: contents.info.byteCount,
                    entityTag: contents.info.entityTag
                )
            version = current
            let total = current.byteCount
            switch try await feed(contents, to: &parser, total) {
            case .header(let header):
                return (header, current)
            case .needsMore(let offset, let length):
                guard hasRanges, offset < total, offset >= 0 else {
                    return (try parser.finish(totalSize: total), current)
                }
                let usual = windows < Self.smallWindows ? ImageHeaderParser.windowSize : Self.largestWindow
                let count = Int64(min(max(length, usual), Self.largestWindow))
                range = .bytes(offset..<min(total, offset + count))
            }
        }
    }

    /// Gives a window to the parser, chunk by chunk, for as long as it can use it.
    private func feed(
        _ contents: StoredContents,
        to parser: inout ImageHeaderParser,
        _ total: Int64
    ) async throws -> ImageHeaderParser.Step {
        var position = contents.range.lowerBound
        var step = ImageHeaderParser.Step.needsMore(offset: position, length: 1)
        for try await chunk in contents {
            step = try parser.parse(chunk, at: position, totalSize: total)
            guard case .needsMore(let offset, _) = step, offset < contents.range.upperBound else { return step }
            position += Int64(chunk.readableBytes)
        }
        return step
    }
}
