/// The versioning of a bucket: whether it keeps the versions of its objects, as locked ones always do.
enum BucketVersioning: Hashable, Sendable {
    /// A bucket that never kept versions.
    case never
    /// A bucket that keeps versions, or did once.
    case enabled
    /// A bucket whose server does not say.
    case unknown
}
