extension StoredContents {
    /// The bytes as they were before they were stored in a content coding.
    ///
    /// ```swift
    /// let page = try await storage.open(name).decoded(by: .gzip).collect(upTo: 1 << 20)
    /// ```
    ///
    /// - Parameter coding: The coding that the file may have. One that has none comes as it is.
    /// - Returns: The decoded bytes, to be read once.
    /// - Throws: ``StorageError`` with code ``StorageError/Code/unsupported`` when the file has another coding, or when
    ///   only a part of it was opened.
    public func decoded(by coding: some ContentCoding) throws -> DecodedContents {
        guard let found = info.contentEncoding?.lowercased(), !found.isEmpty, found != "identity" else {
            return DecodedContents(info: info, contents: self, coding: nil)
        }
        // The older name of gzip (RFC 9110 section 8.4.1.3).
        guard found == coding.name || found == "x-\(coding.name)" else {
            throw StorageError(
                .unsupported,
                "The file is stored in the coding \(StorageError.quoted(found)), which \(coding.name) cannot decode.",
                name: info.name
            )
        }
        guard range == 0..<info.byteCount else {
            throw StorageError(
                .unsupported,
                "A part of a file in the coding \(coding.name) cannot be decoded. Open all of it.",
                name: info.name
            )
        }
        return DecodedContents(info: info, contents: self, coding: coding)
    }
}
