/// Tags of versions, as all parts of the storage give and compare them.
enum EntityTag {
    /// A tag with its quotes (RFC 9110 section 8.8.3), which some servers leave out in some answers.
    static func quoted(_ tag: String) -> String {
        tag.isEmpty || tag.hasSuffix("\"") ? tag : "\"\(tag)\""
    }
}
