/// The versioning of a bucket: whether it keeps the versions of its objects, as locked ones always do.
enum BucketVersioning: Hashable, Sendable {
    /// It never did.
    case never
    /// It does, or did once.
    case enabled
    /// The server does not say.
    case unknown
}
