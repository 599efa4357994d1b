import Storages

/// Walks the boxes of an AVIF or HEIC up to the end of its `meta` box (or, for a sequence, to its track header).
///
/// Sources: ISO/IEC 14496-12 (boxes, `tkhd`), ISO/IEC 23008-12 (items and properties), MIAF for the order of
/// transformations. Only the primary item's size counts: tiles, thumbnails and alpha planes have theirs.
struct HEIFHeaderReader {
    private typealias FourCC = HEIFBox.FourCC

    private enum Stage {
        case brands, boxes, leaf, associations
    }

    /// The state of walking over an `ipma` box, which may be long.
    private struct AssociationWalk {
        var position: Int64 = 0
        var remaining = 0
        var hasLongItems = false
        var hasLongIndexes = false
    }

    private var stage = Stage.brands
    private var brandsEnd: Int64 = 0
    private var brands = MediaBrands()
    /// The format that the brands announce, once all of them are known.
    private var format = ImageFormat.heif
    private var position: Int64 = 0
    private var boxCount = 0
    private var containers: [HEIFBox] = []
    private var leaf = HEIFBox(type: 0, start: 0, end: 0)
    private var walk = AssociationWalk()
    private var items = HEIFItems()
    private var trackSize: PixelSize?

    private static let maxBoxes = 1000

    mutating func run(_ reader: inout HeaderReader, _ window: Span<UInt8>) throws(HeaderStop) -> ImageHeader {
        while true {
            switch stage {
            case .brands:
                try readBrands(&reader, window)
            case .boxes:
                if let header = try closeContainers(reader) { return header }
                try readBox(&reader, window)
            case .leaf:
                try readLeaf(&reader, window)
            case .associations:
                try readAssociations(&reader, window)
            }
        }
    }

    /// The major brands of image sequences.
    private var isSequence: Bool {
        switch brands.major.map(Int.init) {
        case FourCC.avis, FourCC.msf1, FourCC.hevc, FourCC.hevx: true
        default: false
        }
    }

    private mutating func readBrands(_ reader: inout HeaderReader, _ window: Span<UInt8>) throws(HeaderStop) {
        do throws(HeaderStop) {
            try addBrands(&reader, window)
        } catch {
            // A file that ends inside the box is what the brands before the end say.
            if case .fail(.truncated, _) = error, brands.imageType == nil { throw Self.notAnImage }
            throw error
        }
        guard let found = brands.imageType.flatMap(ImageFormat.init) else { throw Self.notAnImage }
        format = found
        position = brandsEnd
        stage = .boxes
    }

    private mutating func addBrands(_ reader: inout HeaderReader, _ window: Span<UInt8>) throws(HeaderStop) {
        if position == 0 {
            let start = try reader.peek(12, at: 0, in: window)
            let length = window.big32(start)
            guard MediaBrands.boxLengths.contains(length) else { throw Self.notAnImage }
            brandsEnd = Int64(length)
            brands.add(UInt32(window.big32(start + 8)))
            _ = try reader.take(16, at: 0, in: window)
            position = 16
        }
        while position + 4 <= brandsEnd {
            brands.add(UInt32(window.big32(try reader.take(4, at: position, in: window))))
            position += 4
        }
    }

    private static let notAnImage = HeaderStop.fail(
        .notAnImage,
        "The file is a movie or another ISO media file (MP4, QuickTime), not an AVIF or HEIC image."
    )

    /// Leaves the containers that end here; the end of `meta` or of a sequence's `moov` completes the header.
    private mutating func closeContainers(_ reader: HeaderReader) throws(HeaderStop) -> ImageHeader? {
        while let container = containers.last {
            // A box of length 0 ends where the file does, which a stream learns last.
            let end = container.end == HeaderReader.maxOffset ? reader.total ?? container.end : container.end
            guard position + 8 > end else { break }
            position = end
            containers.removeLast()
            if container.type == FourCC.meta, items.primary != nil {
                return try items.header(format: format, isAnimated: isSequence, bytesRead: reader.bytesRead)
            }
            if container.type == FourCC.moov, isSequence, let trackSize {
                return sequenceHeader(trackSize, reader)
            }
        }
        if containers.isEmpty, let total = reader.total, position + 8 > total {
            if let trackSize { return sequenceHeader(trackSize, reader) }
            guard position <= total || position == HeaderReader.maxOffset else {
                throw .fail(.truncated, "The file ends inside a box of its image header; upload it again.")
            }
            throw .fail(.malformed, "The image has no meta box with a primary item.")
        }
        return nil
    }

    private func sequenceHeader(_ size: PixelSize, _ reader: HeaderReader) -> ImageHeader {
        ImageHeader(format: format, codedSize: size, isAnimated: true, bytesRead: reader.bytesRead)
    }

    private mutating func readBox(_ reader: inout HeaderReader, _ window: Span<UInt8>) throws(HeaderStop) {
        var index = try reader.peek(8, at: position, in: window)
        var headerLength: Int64 = 8
        var end: Int64
        let length = window.big32(index)
        let parentEnd = containers.last?.end
        if length == 1 {
            index = try reader.peek(16, at: position, in: window)
            headerLength = 16
            let long = window.big64(index + 8)
            guard long < UInt64(HeaderReader.maxOffset) else { throw Self.brokenBox }
            end = position + Int64(long)
        } else if length == 0 {
            end = parentEnd ?? HeaderReader.maxOffset
        } else {
            end = position + Int64(length)
        }
        reader.count(Int(headerLength))
        boxCount += 1
        guard boxCount <= Self.maxBoxes else {
            throw .fail(.malformed, "The image has more than \(Self.maxBoxes) boxes in its header.")
        }
        guard end >= position + headerLength, end <= parentEnd ?? .max else { throw Self.brokenBox }
        open(HEIFBox(type: window.big32(index + 4), start: position + headerLength, end: end))
    }

    private static let brokenBox = HeaderStop.fail(.malformed, "A box of the image has an impossible length.")

    /// Decides by its place in the tree what a box is good for.
    private mutating func open(_ box: HEIFBox) {
        switch (containers.last?.type, box.type) {
        case (nil, FourCC.meta):
            enter(box, skipping: 4)
        case (nil, FourCC.moov), (FourCC.moov, FourCC.trak), (FourCC.meta, FourCC.iprp), (FourCC.iprp, FourCC.ipco):
            enter(box, skipping: 0)
        case (FourCC.meta, FourCC.pitm), (FourCC.iprp, FourCC.ipma), (FourCC.ipco, _), (FourCC.trak, FourCC.tkhd):
            leaf = box
            stage = .leaf
        default:
            position = box.end
        }
    }

    private mutating func enter(_ box: HEIFBox, skipping: Int64) {
        containers.append(box)
        position = box.start + skipping
    }

    private mutating func leave() {
        position = leaf.end
        stage = .boxes
    }

    /// Takes the beginning of the leaf; a leaf that is too short for it is broken.
    private func content(
        _ count: Int,
        _ reader: inout HeaderReader,
        _ window: Span<UInt8>
    ) throws(HeaderStop) -> Int {
        guard leaf.length >= Int64(count) else { throw Self.brokenBox }
        return try reader.take(count, at: leaf.start, in: window)
    }

    private mutating func readLeaf(_ reader: inout HeaderReader, _ window: Span<UInt8>) throws(HeaderStop) {
        switch leaf.type {
        case FourCC.pitm where containers.last?.type == FourCC.meta:
            let version = window[try reader.peek(1, at: leaf.start, in: window)]
            let index = try content(version == 0 ? 6 : 8, &reader, window)
            items.primary = version == 0 ? window.big16(index + 4) : window.big32(index + 4)
            leave()
        case FourCC.ipma where containers.last?.type == FourCC.iprp:
            let index = try content(8, &reader, window)
            walk = AssociationWalk(
                position: leaf.start + 8,
                remaining: window.big32(index + 4),
                hasLongItems: window[index] >= 1,
                hasLongIndexes: window[index + 3] & 1 == 1
            )
            stage = .associations
        case FourCC.tkhd where containers.last?.type == FourCC.trak:
            let version = window[try reader.peek(1, at: leaf.start, in: window)]
            let length = version == 1 ? 96 : 84
            let index = try content(length, &reader, window)
            // 16.16 fixed point.
            let size = PixelSize(
                width: window.big32(index + length - 8) >> 16,
                height: window.big32(index + length - 4) >> 16
            )
            if trackSize == nil, size.width > 0, size.height > 0 { trackSize = size }
            leave()
        default:
            items.properties.append(try readProperty(&reader, window))
            leave()
        }
    }

    private func readProperty(
        _ reader: inout HeaderReader,
        _ window: Span<UInt8>
    ) throws(HeaderStop) -> HEIFProperty {
        switch leaf.type {
        case FourCC.ispe:
            let index = try content(12, &reader, window)
            return .size(PixelSize(width: window.big32(index + 4), height: window.big32(index + 8)))
        case FourCC.irot:
            return .rotation(window[try content(1, &reader, window)] & 3)
        case FourCC.imir:
            return .mirror(window[try content(1, &reader, window)] & 1)
        case FourCC.clap where leaf.length >= 32:
            let index = try content(32, &reader, window)
            let divisors = (width: window.big32(index + 4), height: window.big32(index + 12))
            guard divisors.width > 0, divisors.height > 0 else { return .other }
            return .aperture(
                width: window.big32(index) / divisors.width,
                height: window.big32(index + 8) / divisors.height
            )
        case FourCC.pixi where leaf.length >= 6:
            let index = try content(6, &reader, window)
            return .depth(bits: Int(window[index + 5]), channels: Int(window[index + 4]))
        default:
            return .other
        }
    }

    private mutating func readAssociations(
        _ reader: inout HeaderReader,
        _ window: Span<UInt8>
    ) throws(HeaderStop) {
        let idLength = walk.hasLongItems ? 4 : 2
        let indexLength = walk.hasLongIndexes ? 2 : 1
        while walk.remaining > 0 {
            let entryEnd = walk.position + Int64(idLength + 1)
            guard entryEnd <= leaf.end else { throw Self.brokenBox }
            var index = try reader.peek(idLength + 1, at: walk.position, in: window)
            let item = walk.hasLongItems ? window.big32(index) : window.big16(index)
            let count = Int(window[index + idLength])
            let length = idLength + 1 + count * indexLength
            guard walk.position + Int64(length) <= leaf.end else { throw Self.brokenBox }
            if items.matters(item) {
                index = try reader.peek(length, at: walk.position, in: window) + idLength + 1
                for number in 0..<count {
                    // The high bit says "essential" and is not part of the index.
                    let property =
                        walk.hasLongIndexes
                        ? window.big16(index + 2 * number) & 0x7FFF : Int(window[index + number] & 0x7F)
                    try items.associate(item, with: property)
                }
                reader.count(count * indexLength)
            }
            reader.count(idLength + 1)
            walk.position += Int64(length)
            walk.remaining -= 1
        }
        leave()
    }
}
