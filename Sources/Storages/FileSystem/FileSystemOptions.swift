/// The settings of a ``FileSystemStorage`` beyond those of its initialiser; every one has a default that fits most.
///
/// ```swift
/// var options = FileSystemOptions()
/// options.fileMode = 0o664
/// options.directoryMode = 0o775
/// let storage = try FileSystemStorage(root: "/srv/media", options: options)
/// ```
public struct FileSystemOptions: Sendable {
    /// The time for which a signed URL works, unless ``URLOptions/lifetime`` says otherwise; up to 100 years.
    ///
    /// Default: one hour.
    public var urlLifetime = Duration.seconds(3600)
    /// The permission bits of new files, less the process's umask; the owner must be able to read and write.
    ///
    /// Default: `0o644`.
    public var fileMode: UInt32 = 0o644
    /// The permission bits of new directories, less the process's umask; the owner must be able to do all.
    ///
    /// Default: `0o755`.
    public var directoryMode: UInt32 = 0o755
    /// The rules by which ``FileSystemStorage/name(for:)`` makes a name.
    ///
    /// Default: ``StorageNamePolicy/unicode``.
    public var namePolicy = StorageNamePolicy.unicode
    /// A Boolean value that indicates whether the root, and the directories above it, are made when they are missing.
    ///
    /// Default: `true`.
    public var createsRoot = true
    /// The parts of the system that may be used, which tests restrict.
    package var platform = FileSystemPlatform()

    /// Creates options with the defaults named at each property.
    public init() {}

    /// Refuses permission bits with which the storage could not use what it has made itself.
    func validate(for storage: String) throws {
        for (property, mode, needed) in [("fileMode", fileMode, 0o600), ("directoryMode", directoryMode, 0o700)]
        where mode & ~0o777 != 0 || mode & UInt32(needed) != needed {
            throw StorageError(
                .invalidConfiguration,
                "FileSystemOptions.\(property) cannot be 0o\(String(mode, radix: 8)). Give permission bits that "
                    + "include 0o\(String(needed, radix: 8)), at most 0o777.",
                storage: storage
            )
        }
        try StorageError.check(
            urlLifetime,
            of: "FileSystemOptions.urlLifetime",
            in: .nanoseconds(1)...StorageError.longestTime,
            expected: "more than 0 and at most 100 years",
            storage: storage
        )
    }
}
