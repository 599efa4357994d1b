extension String {
    /// The texts between the slashes, without empty ones.
    ///
    /// Cut at bytes: a slash and a combining mark behind it are one `Character`, which a split at the character "/"
    /// does not find.
    var pathSegments: [String] {
        utf8.split(separator: UInt8(ascii: "/")).map { String(Substring($0)) }
    }

    /// The text without its last byte, when that is a slash.
    var withoutTrailingSlash: String {
        utf8.last == UInt8(ascii: "/") ? String(Substring(utf8.dropLast())) : self
    }
}
