/// The capabilities of a storage; it refuses what is missing here with ``StorageError/Code/unsupported``.
public struct StorageCapabilities: OptionSet, Hashable, Sendable {
    /// The bits.
    public let rawValue: UInt32

    /// Creates a set from its bits.
    ///
    /// - Parameter rawValue: The bits.
    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// Creating a file fails atomically when the name is taken: ``IfExists/fail`` and ``IfExists/rename`` cannot race.
    public static let conditionalUpload = Self(rawValue: 1 << 0)
    /// A range is read without reading what lies before it.
    public static let rangedRead = Self(rawValue: 1 << 1)
    /// URLs can be given a lifetime.
    public static let temporaryURL = Self(rawValue: 1 << 2)
    /// A client can upload without passing through this process.
    public static let directUpload = Self(rawValue: 1 << 3)
    /// A copy does not move the bytes through this process.
    public static let serverSideCopy = Self(rawValue: 1 << 4)
    /// Listings come in the order of the names' UTF-8 bytes.
    public static let orderedListing = Self(rawValue: 1 << 5)
    /// Content type, disposition, cache control and metadata given at upload are kept with the file.
    ///
    /// Without it the content type is derived from the name, and the others are refused; see
    /// ``UploadOptions/contentType`` for a type that does not go with the name.
    public static let storedMetadata = Self(rawValue: 1 << 6)
}
