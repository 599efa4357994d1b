import Storages

/// The query in the canonical form of Signature Version 4: strictly encoded, sorted by the encoded names, then the
/// encoded values.
///
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>
struct CanonicalQuery {
    private(set) var bytes: [UInt8] = []

    init(_ parameters: [(name: String, value: String)]) {
        guard !parameters.isEmpty else { return }
        var encoded: [UInt8] = []
        encoded.reserveCapacity(512)
        var pairs: [Pair] = []
        pairs.reserveCapacity(parameters.count)
        for (name, value) in parameters {
            let start = encoded.count
            PercentEncoding.append(name, keepingSlash: false, to: &encoded)
            let middle = encoded.count
            PercentEncoding.append(value, keepingSlash: false, to: &encoded)
            pairs.append(Pair(name: start..<middle, value: middle..<encoded.count))
        }
        encoded.withUnsafeBufferPointer { encoded in
            // Names before values: the joined text would put "select-type" before "select", because "-" is less than
            // "=".
            ByteOrder.sort(&pairs) { left, right in
                switch ByteOrder.compare(left.name, with: right.name, of: encoded) {
                case 0: ByteOrder.compare(left.value, with: right.value, of: encoded) < 0
                case let order: order < 0
                }
            }
            // The signature is appended to it.
            bytes.reserveCapacity(encoded.count + 2 * pairs.count + 96)
            for pair in pairs {
                if !bytes.isEmpty { bytes.append(UInt8(ascii: "&")) }
                bytes.append(contentsOf: UnsafeBufferPointer(rebasing: encoded[pair.name]))
                bytes.append(UInt8(ascii: "="))
                bytes.append(contentsOf: UnsafeBufferPointer(rebasing: encoded[pair.value]))
            }
        }
    }

    /// The text as it is sent and signed, without `?`: encoded, sorted, each name with `=`.
    var text: String { String(decoding: bytes, as: UTF8.self) }

    private struct Pair {
        var name: Range<Int>
        var value: Range<Int>
    }
}

/// The form of a path that services other than S3 sign: without dot segments and empty segments.
///
/// <https://www.rfc-editor.org/rfc/rfc3986#section-5.2.4>
enum PathNormalization {
    static func normalized(_ path: String) -> String {
        var segments: [Substring] = []
        for segment in path.split(separator: "/") {
            switch segment {
            case ".": continue
            case "..": segments = segments.dropLast()
            default: segments.append(segment)
            }
        }
        let endsWithSlash = !segments.isEmpty && (path.hasSuffix("/") || path.hasSuffix("/.") || path.hasSuffix("/.."))
        return "/" + segments.joined(separator: "/") + (endsWithSlash ? "/" : "")
    }
}

/// The order of byte strings, in which Signature Version 4 sorts.
enum ByteOrder {
    /// Returns a number less than, equal to or greater than 0 as the bytes of the left range sort before, with or after
    /// the right ones.
    static func compare(
        _ left: Range<Int>,
        with right: Range<Int>,
        of bytes: UnsafeBufferPointer<UInt8>
    ) -> Int {
        for offset in 0..<min(left.count, right.count) {
            let difference = Int(bytes[left.lowerBound + offset]) - Int(bytes[right.lowerBound + offset])
            if difference != 0 { return difference }
        }
        return left.count - right.count
    }

    /// Sorts few elements by insertion, which keeps the order of equal ones and needs no memory.
    static func sort<Element>(_ elements: inout [Element], by isLess: (Element, Element) -> Bool) {
        for index in elements.indices.dropFirst() {
            let element = elements[index]
            var hole = index
            while hole > 0, isLess(element, elements[hole - 1]) {
                elements[hole] = elements[hole - 1]
                hole -= 1
            }
            elements[hole] = element
        }
    }
}
