extension ImageProber {
    /// The thoroughness of a probe of an image.
    public enum Mode: Hashable, Sendable {
        /// The header is read and checked, then libgd decodes the image as the proof that it is one. The default.
        ///
        /// Formats that libgd does not decode here (AVIF, HEIC, TIFF, animated WebP, …) and images over
        /// ``ImageLimits/verifyMaxPixels`` are taken by their header; the result says so.
        case verified
        /// Only the header is read and checked: some microseconds and usually 64 KiB, whatever the size of the file.
        case headerOnly
    }
}
