import Storages

/// The options of an upload, and what was found out for it.
///
/// Used by one task; not `Sendable`.
struct UploadCall {
    let options: UploadOptions
    /// The conditional writes that the server supports.
    let conditions: ConditionalWrites
    /// The entity tag of the one version that is to be replaced.
    let tag: String?
    let driver: BodyDriver
    /// The content coding in which the bytes are stored; `nil` to store them unchanged.
    let coding: (any ContentCoding)?
}
