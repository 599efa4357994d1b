/// Tags of versions, as all parts of the storage give and compare them.
enum EntityTag {
    /// A tag with its quotes (RFC 9110 section 8.8.3), which some servers leave out in some answers.
    static func quoted(_ tag: String) -> String {
        tag.isEmpty || tag == "*" || tag.hasSuffix("\"") ? tag : "\"\(tag)\""
    }

    /// A tag without its quotes.
    static func bare(_ tag: String) -> String {
        guard tag.count >= 2, tag.hasPrefix("\""), tag.hasSuffix("\"") else { return tag }
        return String(tag.dropFirst().dropLast())
    }
}
