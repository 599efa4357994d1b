extension StorageName {
    /// The last segment, after the last `/`: the file's own name.
    public var lastComponent: String {
        let utf8 = string.utf8
        guard let slash = utf8.lastIndex(of: UInt8(ascii: "/")) else { return string }
        return String(string[utf8.index(after: slash)...])
    }

    /// The part before the last `/`; `nil` when the name has one segment.
    public var directory: String? {
        string.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(string[..<$0]) }
    }

    /// The extension without its dot, in the case it has; `nil` when there is none.
    ///
    /// A dot at the beginning or end of the last segment does not begin an extension.
    public var fileExtension: String? {
        let last = lastComponent
        let utf8 = last.utf8
        guard let dot = utf8.lastIndex(of: UInt8(ascii: ".")), dot != utf8.startIndex else { return nil }
        let after = utf8.index(after: dot)
        return after == utf8.endIndex ? nil : String(last[after...])
    }

    /// This name with another one below it.
    ///
    /// - Parameter component: One segment or more.
    /// - Returns: `self/component`.
    /// - Throws: ``StorageError`` with code ``StorageError/Code/invalidName`` when it exceeds 1024 bytes.
    public func appending(_ component: StorageName) throws -> StorageName {
        let joined = "\(string)/\(component.string)"
        guard joined.utf8.count <= StorageName.maxBytes else {
            throw NameViolation.tooLong.error(for: joined)
        }
        return StorageName(unchecked: joined)
    }
}
