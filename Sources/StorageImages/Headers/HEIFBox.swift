/// A box of the ISO base media file format: its type and the place of its content.
struct HEIFBox {
    /// The box types that matter, and the brands of image sequences, as big-endian numbers of their four letters.
    enum FourCC {
        static let meta = 0x6D65_7461
        static let moov = 0x6D6F_6F76
        static let trak = 0x7472_616B
        static let tkhd = 0x746B_6864
        static let pitm = 0x7069_746D
        static let iprp = 0x6970_7270
        static let ipco = 0x6970_636F
        static let ipma = 0x6970_6D61
        static let ispe = 0x6973_7065
        static let irot = 0x6972_6F74
        static let imir = 0x696D_6972
        static let clap = 0x636C_6170
        static let pixi = 0x7069_7869
        static let avis = 0x6176_6973
        static let msf1 = 0x6D73_6631
        static let hevc = 0x6865_7663
        static let hevx = 0x6865_7678
    }

    var type: Int
    var start: Int64
    var end: Int64

    var length: Int64 { end - start }
}

/// An item property, as far as it bears on the size.
enum HEIFProperty {
    case size(PixelSize)
    case rotation(UInt8)
    case mirror(UInt8)
    case aperture(width: Int, height: Int)
    case depth(bits: Int, channels: Int)
    case other
}

/// The properties of a file and their association with the primary item.
struct HEIFItems {
    var primary: Int?
    var properties: [HEIFProperty] = []
    private var associations: [(item: Int, property: Int)] = []

    private static let maxAssociations = 4096

    /// Returns whether the associations of an item have to be kept.
    func matters(_ item: Int) -> Bool {
        primary == nil || primary == item
    }

    mutating func associate(_ item: Int, with property: Int) throws(HeaderStop) {
        guard associations.count < Self.maxAssociations else {
            throw .fail(.malformed, "The image associates too many properties with its items.")
        }
        associations.append((item, property))
    }

    /// The header that the primary item's properties amount to.
    func header(format: ImageFormat, isAnimated: Bool, bytesRead: Int) throws(HeaderStop) -> ImageHeader {
        var size: PixelSize?
        var aperture: PixelSize?
        var rotation: UInt8 = 0
        var mirror: UInt8?
        var depth: (bits: Int, channels: Int)?
        for (item, number) in associations where item == primary && number >= 1 && number <= properties.count {
            switch properties[number - 1] {
            case .size(let value): size = size ?? value
            case .aperture(let width, let height): aperture = PixelSize(width: width, height: height)
            case .rotation(let value): rotation = value
            case .mirror(let value): mirror = value
            case .depth(let bits, let channels): depth = (bits, channels)
            case .other: break
            }
        }
        guard let size, size.width > 0, size.height > 0 else {
            throw .fail(.malformed, "The image's primary item has no size.")
        }
        var cropped = size
        if let aperture, aperture.width > 0, aperture.height > 0 {
            cropped = PixelSize(width: min(aperture.width, size.width), height: min(aperture.height, size.height))
        }
        return ImageHeader(
            format: format,
            codedSize: size,
            orientation: Self.orientation(rotation: rotation, mirror: mirror),
            croppedSize: cropped,
            isAnimated: isAnimated,
            bitsPerSample: depth?.bits,
            channels: depth?.channels,
            bytesRead: bytesRead
        )
    }

    /// The EXIF orientation that equals `irot` (quarter turns counter-clockwise) followed by `imir`.
    ///
    /// ISO/IEC 23008-12, 6.5.10 and 6.5.12; `imir` 0 mirrors top to bottom, 1 left to right.
    static func orientation(rotation: UInt8, mirror: UInt8?) -> ImageOrientation {
        switch (rotation & 3, mirror) {
        case (0, nil): .up
        case (1, nil): .left
        case (2, nil): .down
        case (_, nil): .right
        case (0, 0): .downMirrored
        case (0, _): .upMirrored
        case (2, 0): .upMirrored
        case (2, _): .downMirrored
        case (1, 0), (3, 1): .leftMirrored
        default: .rightMirrored
        }
    }
}
