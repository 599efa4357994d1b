public import StorageImages
public import Storages

/// Something that a comparison of a storage with the rows has found, looked up a second time before it is reported.
public enum FsckFinding: Sendable, CustomStringConvertible {
    /// A row that names a file.
    public struct Reference: Hashable, Sendable, CustomStringConvertible {
        /// The table, qualified where the search path does not lead to it.
        public let table: String
        /// The column.
        public let column: String
        /// The name as the column has it; it may be none that a storage could have.
        public let name: String

        /// `table.column` and the name.
        public var description: String { "\(table).\(column) \(StorageError.quoted(name))" }
    }

    /// An object that no row names and that is not in the journal.
    case orphan(FileInfo)
    /// A row that names a file that is not there.
    case danglingRow(Reference)
    /// A row whose size columns do not say what the image's header says.
    case wrongSize(Reference, cached: StorageImage.SizeState, actual: StorageImage.SizeState)

    /// A description in one line.
    public var description: String {
        switch self {
        case .orphan(let info): "orphan: \(StorageError.quoted(info.name.string)), \(info.byteCount) bytes"
        case .danglingRow(let reference): "dangling row: \(reference)"
        case .wrongSize(let reference, let cached, let actual):
            "wrong size: \(reference) is \(actual), but its columns say \(cached)"
        }
    }
}
