extension StorageName {
    /// Makes the last segment of a name of a file's original name, as a browser or another client sent it.
    ///
    /// Originals are taken kindly, as RFC 7578, section 4.2, and RFC 6266, section 4.3, ask for: of a path, such as
    /// `C:\fakepath\cat.jpg` or `/tmp/cat.jpg`, only the last segment counts, and marks of text direction (U+061C,
    /// U+200E, U+200F, U+202A to U+202C, U+2066 to U+2069), which Windows, telephones and messengers put into names,
    /// are dropped. What is left is sanitised as by ``init(sanitizing:policy:)-(String,_)``. A stem of which nothing is
    /// left, an emoji for example, becomes `file`.
    ///
    /// ```swift
    /// try StorageName(original: #"C:\fakepath\My Cat.jpg"#).string            // "My_Cat.jpg"
    /// try StorageName(original: "🐈", contentType: .jpeg).string              // "file.jpg"
    /// ```
    ///
    /// - Parameters:
    ///   - original: The name, or a path.
    ///   - contentType: The type of the file, which gives `file` an extension when the original has none. Default:
    ///     none.
    ///   - policy: Which characters stay. Default: ``StorageNamePolicy/unicode``.
    /// - Throws: ``StorageError`` with code ``StorageError/Code/invalidName`` for what no client's own file is called:
    ///   an empty name, dots alone, a path that contains `..`, controls, and the overrides of text direction (U+202D
    ///   and U+202E), which make `gpj.exe` look like `exe.jpg`.
    /// - Complexity: O(n).
    public init(
        original: String,
        contentType: ContentType? = nil,
        policy: StorageNamePolicy = .unicode
    ) throws {
        let separators: (Unicode.Scalar) -> Bool = { $0 == "/" || $0 == "\\" }
        let segments = original.unicodeScalars.split(whereSeparator: separators)
        guard !segments.contains(where: { $0.elementsEqual("..".unicodeScalars) }) else {
            throw NameViolation.parentReference.error(for: original)
        }
        guard let last = segments.last else { throw Self.nothing(in: original) }
        var segment = String(last)
        // Dots alone are a directory, not a file.
        guard segment.utf8.contains(where: { $0 != UInt8(ascii: ".") }) else { throw Self.nothing(in: original) }
        if segment.unicodeScalars.contains(where: \.isTextDirection) {
            segment.unicodeScalars.removeAll(where: \.isTextDirection)
        }
        let parts = NameParts(segment)
        // A stem of dots alone, as in "...jpg", is none; two would be taken for a segment that leads upwards.
        let isDots = parts.stem.utf8.allSatisfy { $0 == UInt8(ascii: ".") }
        let hasStem = try !isDots && Self.sanitized(parts.stem, policy) != nil
        if let name = hasStem ? try Self.sanitized(segment, policy) : nil {
            self.init(unchecked: name)
            return
        }
        let name = try NameSanitizer.sanitize("file" + parts.suffix, policy: policy)
        let hasExtension = !NameParts(name).suffix.isEmpty
        let ending = hasExtension ? nil : contentType?.preferredExtension
        self.init(unchecked: ending.map { "\(name).\($0)" } ?? name)
    }

    /// Makes a name of an original that may have directories, as a program composes it: `covers/My Cat.jpg`.
    ///
    /// The last segment is taken as by ``init(original:contentType:policy:)``, the directories are sanitised. Of a path
    /// of the client's own machine, which begins with a slash or a drive or has backslashes, only the last segment
    /// counts.
    package init(originalPath path: String, policy: StorageNamePolicy) throws {
        if Self.isPlain(path) {
            try self.init(sanitizing: path, policy: policy)
            return
        }
        let utf8 = path.utf8
        let isOfClient =
            utf8.first == UInt8(ascii: "/") || utf8.contains(UInt8(ascii: "\\"))
            || utf8.dropFirst().first == UInt8(ascii: ":")
        if !isOfClient, case .ascii = policy.kind {
            // As the libraries that this policy follows make them: "日本.txt" becomes "txt".
            let plain = path.unicodeScalars.filter { !$0.isTextDirection }
            try self.init(sanitizing: String(String.UnicodeScalarView(plain)), policy: policy)
            return
        }
        guard !isOfClient, let end = utf8.lastIndex(where: { $0 != UInt8(ascii: "/") }),
            let slash = utf8[...end].lastIndex(of: UInt8(ascii: "/"))
        else {
            try self.init(original: path, policy: policy)
            return
        }
        let file = try StorageName(original: String(path[utf8.index(after: slash)...]), policy: policy)
        var directory = String(path[..<slash])
        directory.unicodeScalars.removeAll(where: \.isTextDirection)
        try self.init(sanitizing: directory + "/" + file.string, policy: policy)
    }

    /// Returns whether a path has only ASCII letters, digits, `-`, `_`, dots and slashes, and every segment begins with
    /// a letter or a digit.
    ///
    /// Nearly all paths do, and they need no closer look.
    private static func isPlain(_ path: String) -> Bool {
        var isAtStart = true
        for byte in path.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                isAtStart = false
            case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                if isAtStart { return false }
            case UInt8(ascii: "/"):
                if isAtStart { return false }
                isAtStart = true
            default:
                return false
            }
        }
        return !isAtStart
    }

    private static func nothing(in original: String) -> StorageError {
        (original.isEmpty ? NameViolation.empty : .nothingLeft).error(for: original)
    }

    /// The sanitised text; `nil` when nothing is left of it.
    private static func sanitized(_ text: String, _ policy: StorageNamePolicy) throws -> String? {
        text.isEmpty ? nil : try NameSanitizer.sanitizeUnlessEmptied(text, policy: policy)
    }

    /// The room that a column has for names.
    package enum Room: Hashable, Sendable {
        /// So many characters, which PostgreSQL counts as Unicode scalars.
        case scalars(Int)
        /// So many bytes of UTF-8.
        case bytes(Int)

        /// The number of characters or bytes.
        package var count: Int {
            switch self {
            case .scalars(let count), .bytes(let count): count
            }
        }

        fileprivate func size(of text: some StringProtocol) -> Int {
            switch self {
            case .scalars: text.unicodeScalars.count
            case .bytes: text.utf8.count
            }
        }
    }

    /// Returns whether the name fits into the room that a column has.
    package func fits(into room: Room) -> Bool {
        room.size(of: string) <= room.count
    }

    /// This name, the stem of its last segment cut so that the whole has room.
    ///
    /// An extension that leaves no room for a stem is cut with it.
    ///
    /// - Returns: `nil` when the directory leaves no room for one character.
    package func cut(toFit room: Room) -> StorageName? {
        guard !fits(into: room) else { return self }
        let directory = directory.map { $0 + "/" } ?? ""
        let left = room.count - room.size(of: directory)
        guard left > 0 else { return nil }
        let parts = NameParts(lastComponent)
        let isShort = room.size(of: parts.suffix) < left
        let ending = isShort ? parts.suffix : ""
        var stem = String.UnicodeScalarView()
        var free = left - room.size(of: ending)
        for scalar in (isShort ? parts.stem : lastComponent).unicodeScalars {
            free -= room.size(of: String(scalar))
            guard free >= 0 else { break }
            stem.append(scalar)
        }
        // What may not stand at the end of a segment must not stand there because of the cut.
        while let last = stem.last, last == "." { stem.removeLast() }
        return StorageName(unchecked: directory + (stem.isEmpty ? "_" : String(stem)) + ending)
    }
}

extension Unicode.Scalar {
    /// A Boolean value that indicates whether this is an invisible mark of text direction that disguises nothing: no
    /// override.
    fileprivate var isTextDirection: Bool {
        switch value {
        case 0x202D, 0x202E: false
        default: if case .textDirection? = nameViolation { true } else { false }
        }
    }
}
