public import Foundation
public import NIOCore

extension Decimal: DatabaseEncodable, DatabaseDecodable, DatabaseArrayElement {
    /// `numeric`.
    public static var databaseType: DatabaseType { .numeric }

    /// Writes the decimal digits; no `Double` is involved.
    public func encode(into buffer: inout ByteBuffer) {
        guard !isNaN else {
            buffer.writeMultipleIntegers(Int16(0), Int16(0), NumericSign.notANumber, Int16(0))
            return
        }
        // Without exponent, with "." whatever the locale.
        let digits = NumericDigits(plain: description)
        buffer.writeMultipleIntegers(
            Int16(digits.groups.count),
            Int16(digits.weight),
            self < 0 ? NumericSign.negative : NumericSign.positive,
            Int16(digits.scale)
        )
        for group in digits.groups { buffer.writeInteger(group) }
    }

    /// Reads `numeric`.
    ///
    /// - Throws: ``DatabaseError`` with code `.typeMismatch` for another type, `.decodingFailed` for a number that
    ///   `Decimal` cannot hold exactly (more than 38 significant digits, a power of ten beyond ±127, infinity).
    public init(cell: DatabaseCell) throws {
        guard cell.type == .numeric else { throw CellError.mismatch("Decimal", cell.type) }
        var bytes = ByteBuffer(bytes: cell.bytes)
        guard
            let (count, weight, sign, _) = bytes.readMultipleIntegers(as: (Int16, Int16, UInt16, Int16).self),
            count >= 0
        else { throw CellError.malformed("numeric") }
        switch sign {
        case NumericSign.positive, NumericSign.negative: break
        case NumericSign.notANumber:
            self = .nan
            return
        default: throw CellError.range("Decimal")
        }
        var groups: [Int16] = []
        for _ in 0..<count {
            guard let group = bytes.readInteger(as: Int16.self), (0..<10_000).contains(group) else {
                throw CellError.malformed("numeric")
            }
            groups.append(group)
        }
        let (digits, exponent) = NumericDigits.significant(groups, weight: Int(weight))
        guard digits.count <= 38, (-128...127).contains(exponent) else {
            throw CellError.range("Decimal")
        }
        var significand = Decimal(0)
        for digit in digits { significand = significand * 10 + Decimal(digit) }
        self.init(sign: sign == NumericSign.negative ? .minus : .plus, exponent: exponent, significand: significand)
    }
}

/// The third field of a `numeric` (PostgreSQL source, `numeric_send`).
private enum NumericSign {
    static let positive: UInt16 = 0x0000
    static let negative: UInt16 = 0x4000
    static let notANumber: UInt16 = 0xC000
}

/// The digits of a `numeric`: groups of four, the first of which counts 10,000 to the power of the weight.
private struct NumericDigits {
    var groups: [Int16] = []
    var weight = 0
    var scale = 0

    init(plain text: String) {
        let parts = text.utf8.drop { $0 == UInt8(ascii: "-") }.split(separator: UInt8(ascii: "."))
        let whole = parts.first.map(Array.init) ?? []
        let fraction = parts.count > 1 ? Array(parts[1]) : []
        scale = fraction.count
        let zero = UInt8(ascii: "0")
        var digits = Array(repeating: zero, count: (4 - whole.count % 4) % 4) + whole
        weight = digits.count / 4 - 1
        digits += fraction + Array(repeating: zero, count: (4 - fraction.count % 4) % 4)
        groups = stride(from: 0, to: digits.count, by: 4).map { start in
            digits[start..<start + 4].reduce(0) { $0 * 10 + Int16($1 - zero) }
        }
        while groups.last == 0 { groups.removeLast() }
        while groups.first == 0 {
            groups.removeFirst()
            weight -= 1
        }
        if groups.isEmpty { weight = 0 }
    }

    /// The digits between the first and the last that are not 0, and the power of ten that the last one counts.
    static func significant(_ groups: [Int16], weight: Int) -> (digits: ArraySlice<Int>, exponent: Int) {
        let all = groups.flatMap { group in [1000, 100, 10, 1].map { Int(group) / $0 % 10 } }
        var exponent = (weight - groups.count + 1) * 4
        var digits = all.drop { $0 == 0 }
        while digits.last == 0 {
            digits.removeLast()
            exponent += 1
        }
        return digits.isEmpty ? ([], 0) : (digits, exponent)
    }
}
