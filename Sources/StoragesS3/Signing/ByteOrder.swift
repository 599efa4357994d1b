/// The order of byte strings, in which Signature Version 4 sorts.
enum ByteOrder {
    typealias Bytes = Slice<UnsafeBufferPointer<UInt8>>

    /// Less than, equal to or greater than 0 as the left bytes sort before, with or after the right ones.
    static func compare(_ left: Bytes, _ right: Bytes) -> Int {
        for (left, right) in zip(left, right) where left != right {
            return Int(left) - Int(right)
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
