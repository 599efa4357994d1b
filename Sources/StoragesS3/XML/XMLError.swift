/// The reason why bytes are not an XML document that this library reads.
struct XMLError: Error, Hashable, Sendable, CustomStringConvertible {
    enum Kind: Hashable, Sendable {
        /// The document ends before its root element does, or there is none.
        case truncated
        /// Text that is not UTF-8, or declared to be something else.
        case notUTF8
        /// A document type declaration, which may hold entities of any size.
        case documentType
        /// A reference to an entity other than the five of XML, or to a number that is no character.
        case unknownEntity
        /// More elements inside each other than the limit.
        case tooDeep
        /// More bytes, or more elements, than the limit.
        case tooLarge
        /// Anything else that is not well-formed.
        case malformed
    }

    var kind: Kind
    /// The position at which reading stopped, in bytes from the beginning.
    var offset: Int

    init(_ kind: Kind, at offset: Int) {
        self.kind = kind
        self.offset = offset
    }

    var description: String {
        let reason =
            switch kind {
            case .truncated: "it ends too early"
            case .notUTF8: "it is not UTF-8"
            case .documentType: "it has a document type declaration"
            case .unknownEntity: "it refers to an unknown entity"
            case .tooDeep: "it is nested too deep"
            case .tooLarge: "it is too large"
            case .malformed: "it is not well-formed"
            }
        return "No usable XML: \(reason), at byte \(offset)."
    }
}
