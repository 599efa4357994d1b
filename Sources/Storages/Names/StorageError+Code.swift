extension StorageError {
    /// The kind of a ``StorageError``.
    ///
    /// A struct over a private enum: new codes may come without breaking a `switch`.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Kind: String {
            case notFound, alreadyExists, invalidName, invalidRange, unsupported, permissionDenied
            case preconditionFailed, changedDuringRead, tooLarge, wrongType, sourceFailed, io, unavailable, timeout
            case invalidURL, invalidConfiguration, unknownStorage, outOfSpace, alreadyRead, expired, corrupted,
                outcomeUnknown, notOwner, retained
        }

        private let kind: Kind

        private init(_ kind: Kind) {
            self.kind = kind
        }

        /// The code's own name, such as `notFound`.
        public var description: String { kind.rawValue }

        /// No file has that name.
        public static let notFound = Self(.notFound)
        /// A file has that name already, and ``IfExists/fail`` was asked for.
        public static let alreadyExists = Self(.alreadyExists)
        /// The name is not a valid ``StorageName``; the message says why.
        public static let invalidName = Self(.invalidName)
        /// The range lies outside the file or is malformed.
        public static let invalidRange = Self(.invalidRange)
        /// The storage cannot do this; see ``Storage/capabilities``.
        public static let unsupported = Self(.unsupported)
        /// The storage refused access.
        public static let permissionDenied = Self(.permissionDenied)
        /// A condition such as ``OpenOptions/ifMatch`` did not hold.
        public static let preconditionFailed = Self(.preconditionFailed)
        /// The file was replaced or cut while it was being read.
        public static let changedDuringRead = Self(.changedDuringRead)
        /// More bytes than the limit allows.
        public static let tooLarge = Self(.tooLarge)
        /// The bytes are of a type that is not accepted, or that does not go with the name.
        public static let wrongType = Self(.wrongType)
        /// The source of an upload failed, or did not keep to its declared length.
        public static let sourceFailed = Self(.sourceFailed)
        /// The device or file system reported an error.
        public static let io = Self(.io)
        /// The storage cannot be reached, or is overloaded; trying again later may help.
        public static let unavailable = Self(.unavailable)
        /// The storage did not respond in time.
        public static let timeout = Self(.timeout)
        /// No URL can be made, or a URL given is malformed.
        public static let invalidURL = Self(.invalidURL)
        /// An option of the storage is wrong; the message names it.
        public static let invalidConfiguration = Self(.invalidConfiguration)
        /// No storage is registered under that id.
        public static let unknownStorage = Self(.unknownStorage)
        /// The device or quota is full.
        public static let outOfSpace = Self(.outOfSpace)
        /// A signed URL was valid and is past its lifetime; or a stored file was not named by a row in time.
        public static let expired = Self(.expired)
        /// The bytes that arrived are not those that were sent.
        public static let corrupted = Self(.corrupted)
        /// The connection was lost before anybody said whether it was done; it may have been.
        public static let outcomeUnknown = Self(.outcomeUnknown)
        /// Another database decides about the files of the storage; nothing was deleted.
        public static let notOwner = Self(.notOwner)
        /// The storage has to keep a version of the file, for a time or until a hold on it is lifted.
        public static let retained = Self(.retained)
        /// A single-pass sequence was iterated a second time.
        public static let alreadyRead = Self(.alreadyRead)
    }
}
