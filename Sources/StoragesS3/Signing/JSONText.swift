/// JSON (RFC 8259) in ASCII, written piece by piece.
///
/// In ASCII because a signature is over bytes: what lies between must find nothing to change.
struct JSONText {
    private(set) var text = ""

    /// Appends text as it is.
    mutating func append(_ json: String) {
        text += json
    }

    /// Appends a string with its quotes, escaped.
    mutating func append(string: String) {
        text += "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case "\u{8}": text += "\\b"
            case "\u{C}": text += "\\f"
            case " "..."~": text.unicodeScalars.append(scalar)
            default:
                // Beyond the first plane as a pair of surrogates.
                for unit in UTF16.encode(scalar).map({ Array($0) }) ?? [] { append(escaped: unit) }
            }
        }
        text += "\""
    }

    /// Appends an array of strings.
    mutating func append(array: [String]) {
        text += "["
        for (index, string) in array.enumerated() {
            if index > 0 { text += ", " }
            append(string: string)
        }
        text += "]"
    }

    /// Appends an object of strings, in this order.
    mutating func append(object: [(name: String, value: String)]) {
        text += "{"
        for (index, member) in object.enumerated() {
            if index > 0 { text += ", " }
            append(string: member.name)
            text += ": "
            append(string: member.value)
        }
        text += "}"
    }

    private mutating func append(escaped unit: UInt16) {
        let digits = String(unit, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    }
}
