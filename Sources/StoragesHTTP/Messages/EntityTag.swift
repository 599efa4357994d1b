/// Entity tags of objects, with and without their quotes.
///
/// <https://www.rfc-editor.org/rfc/rfc9110#section-8.8.3>
package enum EntityTag {
    /// Returns a tag with its quotes, which some servers leave out in some responses.
    package static func quoted(_ tag: String) -> String {
        tag.isEmpty || tag == "*" || tag.hasSuffix("\"") ? tag : "\"\(tag)\""
    }

    /// Returns a tag without its quotes.
    package static func bare(_ tag: String) -> String {
        guard tag.count >= 2, tag.hasPrefix("\""), tag.hasSuffix("\"") else { return tag }
        return String(tag.dropFirst().dropLast())
    }
}
