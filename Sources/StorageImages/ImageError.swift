/// An error that bytes were not accepted as an image, or that an image could not be made.
///
/// The message says what failed and how to mend it; it never contains bytes of the file.
public struct ImageError: Error, Sendable, CustomStringConvertible {
    /// The kind of a failure; switch over this, not over the message.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Kind: String, Hashable, Sendable {
            case notAnImage, unsupportedFormat, tooManyPixels, tooManyBytes, corrupt, truncated, malformed
            case headerNotFound, tooManyScans, busy, invalidSize, wrongType, invalidConfiguration
        }

        private let kind: Kind

        /// The bytes are no image of any known format (text, SVG, an archive, nothing at all).
        public static let notAnImage = Code(kind: .notAnImage)
        /// An image, but of a format or a flavour that is not allowed or that nothing here can decode.
        public static let unsupportedFormat = Code(kind: .unsupportedFormat)
        /// The header claims more pixels than ``ImageLimits/maxPixels``.
        public static let tooManyPixels = Code(kind: .tooManyPixels)
        /// The file is larger than ``ImageLimits/maxFileBytes``.
        public static let tooManyBytes = Code(kind: .tooManyBytes)
        /// The structure contradicts itself or the size of the file, as in a decompression bomb.
        public static let corrupt = Code(kind: .corrupt)
        /// The bytes end before the image does.
        public static let truncated = Code(kind: .truncated)
        /// The header breaks the rules of its own format.
        public static let malformed = Code(kind: .malformed)
        /// The header was not found within the number of reads and bytes that a parser may spend.
        public static let headerNotFound = Code(kind: .headerNotFound)
        /// A JPEG has more scans than ``ImageLimits/maxJPEGScans``.
        public static let tooManyScans = Code(kind: .tooManyScans)
        /// Too many images are being decoded at this moment, or the machine has no memory; try again later.
        public static let busy = Code(kind: .busy)
        /// A requested size is not possible.
        public static let invalidSize = Code(kind: .invalidSize)
        /// The bytes are an image of another type than the one asked for.
        public static let wrongType = Code(kind: .wrongType)
        /// A configuration has a value that makes no sense.
        public static let invalidConfiguration = Code(kind: .invalidConfiguration)

        /// The code's name, for example `notAnImage`.
        public var description: String { kind.rawValue }
    }

    /// The kind of the failure.
    public var code: Code

    /// A message of one or two sentences about what failed and how to mend it.
    public var message: String

    /// The name of the stored file that the error is about, when it is known.
    public var name: String?

    /// The error that led to this one, if another part reported it.
    public var underlying: (any Error)?

    /// Creates an error.
    ///
    /// - Parameters:
    ///   - code: What kind of failure it is.
    ///   - message: What failed and how to mend it.
    ///   - name: The name of the stored file, `nil` when it is not known.
    ///   - underlying: The error that led to this one.
    public init(_ code: Code, _ message: String, name: String? = nil, underlying: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.name = name
        self.underlying = underlying
    }

    /// The same error, saying which stored file it is about.
    ///
    /// - Parameter name: The name of the stored file; a name that is already there stays.
    /// - Returns: The error with a name.
    public func about(_ name: String) -> ImageError {
        var copy = self
        copy.name = copy.name ?? name
        return copy
    }

    /// Code, name and message in one line.
    public var description: String {
        var text = "ImageError.\(code)"
        if let name { text += " for \"\(name)\"" }
        text += ": \(message)"
        if let underlying { text += " (\(underlying))" }
        return text
    }
}
