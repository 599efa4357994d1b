/// The rule that decides whether the signature covers the bytes of uploads.
///
/// Over plain HTTP it always does: nothing else protects them.
public enum S3PayloadSigning: String, Hashable, Sendable, CaseIterable {
    /// Uploads up to 256 KiB; TLS protects larger ones, and hashing them costs time.
    case auto
    /// All uploads.
    case always
    /// No uploads over TLS.
    case never
}
