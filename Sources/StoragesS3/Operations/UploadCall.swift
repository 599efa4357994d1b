import Storages

/// What an upload is asked for, and what was found out for it.
///
/// Used by one task; not `Sendable`.
struct UploadCall {
    let options: UploadOptions
    /// What the server can do.
    let conditions: ConditionalWrites
    /// That of the version that is to be replaced, and no other.
    let tag: String?
    let driver: BodyDriver
    /// What the bytes are stored in, when not as they are.
    let coding: (any ContentCoding)?
}
