import Storages

/// The query in the canonical form of Signature Version 4: strictly encoded, sorted by the encoded names, then the
/// encoded values.
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
                switch ByteOrder.compare(left.name, right.name, of: encoded) {
                case 0: ByteOrder.compare(left.value, right.value, of: encoded) < 0
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

    private struct Pair {
        var name: Range<Int>
        var value: Range<Int>
    }
}
