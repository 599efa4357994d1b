import Storages
import StoragesHTTP

/// Checks of what goes into the head of a request.
///
/// libcurl copies a line break in a value as it is, so that a value could become headers of its own, and other control
/// characters are read differently by different servers. So nothing is signed or sent that was not checked here.
enum HeaderValidation {
    /// The headers that may be sent.
    struct Result: Sendable {
        /// The headers in their order, the blanks around their values cut off.
        var headers: HTTPHeaders
        /// The names of headers that were left out because their values are empty, which is as good as not there.
        ///
        /// Not those of metadata: there an empty value is a value, which servers keep, so it is signed and sent.
        var omitted: [String]
    }

    /// Checks all headers before they are signed.
    ///
    /// - Throws: ``StorageError`` with code `invalidConfiguration` for a name that is no token of RFC 9110, and a value
    ///   with a control character, a tab among them. Its message has the name, never the value.
    static func check(_ headers: HTTPHeaders) throws(StorageError) -> Result {
        var result = Result(headers: HTTPHeaders(), omitted: [])
        for field in headers.fields {
            try checkName(field.name)
            try checkValue(field.value, of: field.name)
            let value = trimmed(field.value)
            if value.isEmpty, !isMetadata(field.name) {
                result.omitted.append(field.name)
            } else {
                result.headers.append(field.name, value)
            }
        }
        return result
    }

    /// Checks that a name is a token of RFC 9110 section 5.6.2.
    static func checkName(_ name: String) throws(StorageError) {
        var copy = name
        guard !name.isEmpty, copy.withUTF8({ $0.allSatisfy(isTokenCharacter) }) else {
            throw StorageError(
                .invalidConfiguration,
                "\(StorageError.quoted(name)) is no name of a header. Use ASCII letters, digits and hyphens."
            )
        }
    }

    /// Checks that a value has no control character.
    static func checkValue(_ value: String, of name: String) throws(StorageError) {
        var copy = value
        guard !copy.withUTF8({ $0.contains(where: isControl) }) else {
            throw StorageError(
                .invalidConfiguration,
                "The value of the header \(StorageError.quoted(name)) has a control character, such as a line break "
                    + "or a tab. Remove it."
            )
        }
    }

    private static func isMetadata(_ name: String) -> Bool {
        HTTPHeaders.areEqual(String(name.prefix(11)), "x-amz-meta-")
    }

    static func isControl(_ byte: UInt8) -> Bool { byte < 0x20 || byte == 0x7F }

    static func trimmed(_ value: String) -> String {
        let blank = UInt8(ascii: " ")
        guard value.utf8.first == blank || value.utf8.last == blank else { return value }
        let start = value.utf8.drop { $0 == blank }
        let end = start.lastIndex { $0 != blank }
        return end.flatMap { String(start[...$0]) } ?? ""
    }

    static func isTokenCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "!"),
            // # $ % & ' and * + and . and ^ _ ` and | and ~
            0x23...0x27, 0x2A...0x2B, 0x2E, 0x5E...0x60, 0x7C, 0x7E:
            true
        default: false
        }
    }
}
