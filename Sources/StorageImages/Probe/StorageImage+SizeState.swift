extension StorageImage {
    /// The state of the knowledge about the size of an image.
    public enum SizeState: Hashable, Sendable, CustomStringConvertible {
        /// Not known: the file has not been probed, or was refused by limits only.
        case unknown
        /// The size.
        case known(PixelSize)
        /// Known: the file is no image.
        case notAnImage

        /// Creates the state that a width and a height stand for, such as those of two columns.
        ///
        /// ``width`` and ``height`` give the same numbers back.
        ///
        /// - Parameters:
        ///   - width: The width in pixels; 0, together with the height, for a file that is no image; `nil` when it is
        ///     not known.
        ///   - height: The height in pixels, likewise. Two numbers that are neither both positive nor both 0 stand for
        ///     ``unknown``.
        public init(width: Int?, height: Int?) {
            switch (width, height) {
            case (0, 0): self = .notAnImage
            case (let width?, let height?) where width > 0 && height > 0:
                self = .known(PixelSize(width: width, height: height))
            default: self = .unknown
            }
        }

        /// The width in pixels: 0 for a file that is no image, `nil` when it is not known.
        public var width: Int? { columns?.width }

        /// The height in pixels: 0 for a file that is no image, `nil` when it is not known.
        public var height: Int? { columns?.height }

        private var columns: PixelSize? {
            switch self {
            case .unknown: nil
            case .known(let size): size
            case .notAnImage: PixelSize(width: 0, height: 0)
            }
        }

        /// The size as `widthxheight`, or the name of the state.
        public var description: String {
            switch self {
            case .unknown: "unknown"
            case .known(let size): "\(size)"
            case .notAnImage: "not an image"
            }
        }
    }
}
