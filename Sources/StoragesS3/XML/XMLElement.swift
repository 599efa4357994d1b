import Foundation
import StoragesHTTP

/// An element of a document: its name without prefix, and either its text or its children.
struct XMLElement: Hashable, Sendable {
    var name: String
    /// The characters as UTF-8, references resolved; empty when there are children.
    ///
    /// Control characters stay what they are, although XML 1.0 has none: servers write keys as they find them.
    var text: [UInt8] = []
    var children: [XMLElement] = []

    /// Returns the first child of that name.
    func first(_ name: String) -> XMLElement? {
        children.first { $0.name == name }
    }

    /// Returns all children of that name, in the document's order.
    func all(_ name: String) -> [XMLElement] {
        children.filter { $0.name == name }
    }

    /// Returns the text of the first child of that name, exactly as it stands there.
    func bytes(_ name: String) -> [UInt8]? {
        first(name)?.text
    }

    /// Returns the text of the first child of that name, without white space at its ends; `nil` when nothing is left.
    func string(_ name: String) -> String? {
        first(name)?.trimmedText
    }

    /// Returns the number in the first child of that name.
    func integer(_ name: String) -> Int64? {
        string(name).flatMap { Int64($0) }
    }

    /// Returns the truth value in the first child of that name; `nil` when it is none.
    func bool(_ name: String) -> Bool? {
        switch string(name)?.lowercased() {
        case "true", "1": true
        case "false", "0": false
        default: nil
        }
    }

    /// Returns the time in the first child of that name.
    func date(_ name: String) -> Date? {
        string(name).flatMap(ISO8601Timestamp.date(from:))
    }

    /// The text without white space at its ends; `nil` when nothing is left.
    var trimmedText: String? {
        let start = text.drop(while: XMLReader.isWhiteSpace)
        let count = start.reversed().drop(while: XMLReader.isWhiteSpace).count
        return count == 0 ? nil : String(decoding: start.prefix(count), as: UTF8.self)
    }
}
