/// The storage class of an object, which decides how it is kept, and what it costs.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-class-intro.html>
public struct S3StorageClass: RawRepresentable, Hashable, Sendable, ExpressibleByStringLiteral {
    /// The name that the server knows.
    public let rawValue: String

    /// Creates a storage class from a name that the server knows.
    ///
    /// - Parameter rawValue: The name, such as `STANDARD_IA`.
    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// Creates a storage class from a name that the server knows.
    ///
    /// - Parameter value: The name, such as `"STANDARD_IA"`.
    public init(stringLiteral value: String) {
        rawValue = value
    }

    /// The usual class.
    public static let standard = Self(rawValue: "STANDARD")
    /// The class for objects that are read seldom.
    public static let standardInfrequentAccess = Self(rawValue: "STANDARD_IA")
    /// The class for objects that are read seldom and can be made again: they are kept in one place only.
    public static let oneZoneInfrequentAccess = Self(rawValue: "ONEZONE_IA")
    /// The class whose objects the server moves between tiers, as they are read or not.
    public static let intelligentTiering = Self(rawValue: "INTELLIGENT_TIERING")
    /// An archive whose objects can be read at once.
    public static let glacierInstantRetrieval = Self(rawValue: "GLACIER_IR")
    /// An archive whose objects must be restored before they are read.
    public static let glacier = Self(rawValue: "GLACIER")
    /// The cheapest archive, whose objects take hours to restore.
    public static let deepArchive = Self(rawValue: "DEEP_ARCHIVE")
    /// The class with fewer copies; no longer cheaper.
    public static let reducedRedundancy = Self(rawValue: "REDUCED_REDUNDANCY")
}
