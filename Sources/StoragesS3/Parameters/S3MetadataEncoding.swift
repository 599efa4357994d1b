/// The encoding of metadata values in requests, where headers have no agreed form for what is not ASCII.
public enum S3MetadataEncoding: Hashable, Sendable, CaseIterable {
    /// Values as they are; those that are not ASCII are an error.
    case ascii
    /// Percent-encoded values in UTF-8, all but printable ASCII, and `%` itself; decoded when they are read.
    ///
    /// For buckets whose objects are written with it only: in others a `%` of somebody else's would be taken for the
    /// beginning of a code. A value that cannot be decoded is given as it is.
    case percent
}
