/// The options for opening a file for reading.
public struct OpenOptions: Sendable {
    /// The part to read.
    ///
    /// Default: the whole file.
    public var range: ByteRange?
    /// The entity tag of the only version to open, as ``FileInfo/entityTag`` gave it.
    ///
    /// Default: any version.
    public var ifMatch: String?
    /// The closure that receives the progress after each chunk.
    ///
    /// Default: none.
    public var progress: ProgressHandler?

    /// Creates options.
    ///
    /// - Parameters:
    ///   - range: The part to read. Default: the whole file.
    ///   - ifMatch: The entity tag the file must have. Default: any.
    ///   - progress: Told after each chunk. Default: none.
    public init(range: ByteRange? = nil, ifMatch: String? = nil, progress: ProgressHandler? = nil) {
        self.range = range
        self.ifMatch = ifMatch
        self.progress = progress
    }
}
