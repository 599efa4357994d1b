/// The abilities of the file system below a ``FileSystemStorage``, found out by trying.
///
/// See ``FileSystemStorage/probe()``.
public struct FileSystemProbe: Sendable {
    /// The way in which a new file gets its name without overwriting one that has it.
    ///
    /// In the order in which they are tried. All but the last are one step that other processes see as a whole.
    public enum Placement: String, Hashable, Sendable, CaseIterable {
        /// A file without a name gets one (`O_TMPFILE` and `linkat`): a process that is killed leaves nothing.
        case namelessLink
        /// A file in the storage's own directory gets a second name (`linkat`), and loses the first.
        case link
        /// A file in the storage's own directory is renamed unless the name is taken (`renameat2` with
        /// `RENAME_NOREPLACE`, on Darwin `renameatx_np` with `RENAME_EXCL`).
        case exclusiveRename
        /// The name is taken by an empty file (`O_CREAT | O_EXCL`), and the file is renamed over it.
        ///
        /// For a moment others see an empty file. A process that is killed in this moment leaves it, and one that
        /// replaces the file in this moment may be overwritten.
        case placeholder
    }

    /// The name of the file system as `mount` has it, such as `ext4` or `nfs`.
    ///
    /// Everything behind FUSE is `fuse`; of one that is not known here it is the number in hexadecimal, and
    /// `unknown` when the system does not tell.
    public var fileSystem: String
    /// A Boolean value that indicates whether the file system is known to lie on a device of this machine.
    ///
    /// Only there a file that the kernel has in its cache is read without a thread.
    public var isLocal: Bool
    /// The reason why the storage cannot be written to; `nil` when it can.
    public var writeFailure: StorageError?
    /// The way in which a new file gets its name; `nil` when the storage cannot be written to.
    public var placement: Placement?
    /// A Boolean value that indicates whether two names that differ in case only are two files; `nil` when that could
    /// not be tried.
    ///
    /// Where they are one, a name in another case finds a file that no row names so.
    public var keepsCaseApart: Bool?
    /// A Boolean value that indicates whether a name in NFC and the same in NFD are two files; `nil` when that could
    /// not be tried.
    public var keepsNormalizationApart: Bool?
    /// A Boolean value that indicates whether the entries of a directory can be put onto the medium; `nil` when that
    /// could not be tried.
    ///
    /// Where they cannot, ``FileSystemStorage/Durability/fsync`` promises the bytes of a file, and its name as far as
    /// the file system does by itself.
    public var synchronizesDirectories: Bool?
    /// A Boolean value that indicates whether modification times can be set; `nil` when that could not be tried.
    ///
    /// Where they cannot, two versions of a file that are made within a few milliseconds may have one entity tag.
    public var setsModificationTimes: Bool?
    /// The number of bytes that this process may still write; `nil` when the file system does not report it.
    public var freeBytes: UInt64?
    /// The number of files that may still be made; `nil` where files are not counted.
    public var freeFiles: UInt64?
    /// The length of the longest name of a file or directory, in bytes; `nil` when the file system does not report it.
    public var longestName: Int?

    /// A Boolean value that indicates whether the storage can be written to.
    public var isWritable: Bool { writeFailure == nil }
}
