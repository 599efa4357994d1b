extension ContentType {
    /// The type that a file of this name usually has; `nil` for an extension that is not known, or none.
    ///
    /// Allocates nothing: it is asked at each opening of a file.
    init?(extensionOf name: StorageName) {
        let utf8 = name.string.utf8
        let dot = UInt8(ascii: ".")
        let slash = UInt8(ascii: "/")
        let reversed = utf8.reversed()
        guard let end = reversed.prefix(9).firstIndex(of: dot) else { return nil }
        // A dot that begins the last segment makes a hidden file, not an extension.
        let before = reversed.index(after: end)
        guard before != reversed.endIndex, reversed[before] != slash,
            let type = ContentType.ofReversedExtension(reversed[..<end])
        else { return nil }
        self = type
    }
}
