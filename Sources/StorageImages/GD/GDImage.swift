// The only file that imports CLibGD: the messages of gd live in a variable that exists once per importing file.
import CLibGD
import NIOCore

/// A decoded image of libgd, freed when its one owner lets go of it.
struct GDImage: ~Copyable {
    /// The formats that libgd decodes in this process.
    enum Codec: Hashable, Sendable {
        case jpeg, png, gif, webp, bmp
    }

    /// The messages of gd and its codecs from the decoding of an image.
    struct Report: Hashable, Sendable {
        /// A Boolean value that indicates whether libjpeg ran out of bytes and made up the rest of the image.
        var isPrematureEnd = false
        /// The first message, `nil` when there was none.
        ///
        /// It holds no bytes of the file.
        var message: String?
    }

    private let pointer: gdImagePtr
    /// The messages from the decoding of this image.
    let report: Report

    /// Decodes an image on the calling thread, which is busy for as long as it takes.
    ///
    /// The bytes must have passed ``ImageGuard``, PNG also ``PNGForDecoder``: libgd has no limits of its own, and
    /// libpng writes its warnings to standard error.
    ///
    /// - Parameters:
    ///   - bytes: The whole file, less than 2 GiB.
    ///   - codec: Its format.
    /// - Throws: ``ImageError`` with code ``ImageError/Code/corrupt`` when libgd cannot decode it.
    init(decoding bytes: ByteBuffer, as codec: Codec) throws(ImageError) {
        Self.hookInstalled
        guard let count = Int32(exactly: bytes.readableBytes), count > 0 else {
            throw ImageError(.tooManyBytes, "The file has 2 GiB or more, which libgd cannot count.")
        }
        clibgd_clear_report()
        let image: gdImagePtr? = bytes.withUnsafeReadableBytes { bytes in
            guard let base = bytes.baseAddress else { return nil }
            return switch codec {
            case .jpeg: clibgd_jpeg(base, count)
            case .png: clibgd_png(base, count)
            case .gif: clibgd_gif(base, count)
            case .webp: clibgd_webp(base, count)
            case .bmp: clibgd_bmp(base, count)
            }
        }
        let report = Self.takeReport()
        guard let image else {
            let reason = report.message.map { " (\($0))" } ?? ""
            throw ImageError(
                .corrupt,
                "libgd cannot decode the \(codec) data\(reason). Save the image anew with another program."
            )
        }
        self.pointer = image
        self.report = report
    }

    deinit {
        gdImageDestroy(pointer)
    }

    /// The size of the decoded pixel matrix.
    var size: PixelSize {
        PixelSize(width: Int(clibgd_width(pointer)), height: Int(clibgd_height(pointer)))
    }

    /// Returns whether the machine would allocate this many bytes now.
    static func canAllocate(_ byteCount: Int64) -> Bool {
        guard let count = Int(exactly: byteCount), count > 0 else { return byteCount <= 0 }
        return clibgd_can_allocate(count) != 0
    }

    private static func takeReport() -> Report {
        let flags = clibgd_report_flags()
        guard flags != 0 else { return Report() }
        return Report(
            isPrematureEnd: flags & UInt32(CLIBGD_PREMATURE_END) != 0,
            message: String(cString: clibgd_report_message())
        )
    }

    /// The hook for gd's messages, installed once, before the first decode: gd keeps it in a plain global pointer.
    private static let hookInstalled: Void = clibgd_install_message_hook()
}
