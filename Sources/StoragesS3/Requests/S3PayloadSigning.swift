/// Whether the bytes of uploads are covered by the signature.
///
/// Over plain HTTP they always are: nothing else protects them.
public enum S3PayloadSigning: String, Hashable, Sendable, CaseIterable {
    /// Up to 256 KiB; TLS protects larger ones, and hashing them costs time.
    case auto
    /// All of them.
    case always
    /// None over TLS.
    case never
}
