/// The headers of a message in the order they were added; names are compared without regard to ASCII case.
package struct HTTPHeaders: Hashable, Sendable, ExpressibleByDictionaryLiteral {
    package struct Field: Hashable, Sendable {
        package var name: String
        package var value: String

        @inlinable
        package init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    /// All headers, in the order in which they were added.
    package var fields: [Field]

    @inlinable
    package init(_ fields: [Field] = []) {
        self.fields = fields
    }

    package init(dictionaryLiteral elements: (String, String)...) {
        fields = elements.map { Field(name: $0.0, value: $0.1) }
    }

    /// The first value of a header; setting replaces all of them, and `nil` removes the header.
    @inlinable
    package subscript(name: String) -> String? {
        get { fields.first { HTTPHeaders.areEqual($0.name, name) }?.value }
        set {
            fields.removeAll { HTTPHeaders.areEqual($0.name, name) }
            if let newValue { fields.append(Field(name: name, value: newValue)) }
        }
    }

    @inlinable
    package mutating func append(_ name: String, _ value: String) {
        fields.append(Field(name: name, value: value))
    }

    /// Adds a word to the value of the last header.
    package mutating func extendLast(with word: String) {
        guard let last = fields.indices.last else { return }
        fields[last].value += " " + word
    }

    /// Compares two names without regard to ASCII case.
    @inlinable
    package static func areEqual(_ left: String, _ right: String) -> Bool {
        left.utf8.count == right.utf8.count
            && zip(left.utf8, right.utf8).allSatisfy { lowercased($0) == lowercased($1) }
    }

    @inlinable
    package static func lowercased(_ byte: UInt8) -> UInt8 {
        byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte
    }
}
