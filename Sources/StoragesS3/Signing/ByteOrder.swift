/// The order of byte strings, in which Signature Version 4 sorts.
enum ByteOrder {
    /// Returns a number less than, equal to or greater than 0 as the bytes of the left range sort before, with or after
    /// the right ones.
    static func compare(_ left: Range<Int>, _ right: Range<Int>, of bytes: UnsafeBufferPointer<UInt8>) -> Int {
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
