package import Foundation

/// Dates in XML documents and some headers, as in `2013-05-24T00:00:00.000Z`.
package enum ISO8601Timestamp {
    /// Returns a text such as `2013-05-24T00:00:00Z`; `nil` outside the years 1 to 9999.
    package static func string(from date: Date) -> String? {
        CivilTime(date)?.extendedTimestamp
    }

    /// Reads a date and a time with or without a fraction, in UTC or with an offset; `nil` for anything else.
    package static func date(from text: String) -> Date? {
        let bytes = Array(text.utf8)
        guard bytes.count >= 19, bytes.count <= 40,
            bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"),
            bytes[10] == UInt8(ascii: "T") || bytes[10] == UInt8(ascii: " "),
            bytes[13] == UInt8(ascii: ":"), bytes[16] == UInt8(ascii: ":"),
            let year = number(bytes[0..<4]), let month = number(bytes[5..<7]), let day = number(bytes[8..<10]),
            let hour = number(bytes[11..<13]), let minute = number(bytes[14..<16]), let second = number(bytes[17..<19]),
            let time = CivilTime(year: year, month: month, day: day, hour: hour, minute: minute, second: second)
        else { return nil }
        var rest = bytes[19...]
        var fraction = 0.0
        if rest.first == UInt8(ascii: ".") {
            let digits = rest.dropFirst().prefix { $0 >= 0x30 && $0 <= 0x39 }
            guard !digits.isEmpty else { return nil }
            fraction = Double("0." + String(decoding: digits, as: UTF8.self)) ?? 0
            rest = rest[digits.endIndex...]
        }
        guard let offset = offset(rest) else { return nil }
        return time.date.addingTimeInterval(fraction - offset)
    }

    private static func offset(_ text: ArraySlice<UInt8>) -> Double? {
        if text.isEmpty || text.elementsEqual("Z".utf8) || text.elementsEqual("z".utf8) { return 0 }
        let digits = text.dropFirst().filter { $0 != UInt8(ascii: ":") }
        guard digits.count == 4, let value = number(digits[...]) else { return nil }
        let seconds = Double(value / 100 * 3600 + value % 100 * 60)
        switch text.first {
        case UInt8(ascii: "+"): return seconds
        case UInt8(ascii: "-"): return -seconds
        default: return nil
        }
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        digits.allSatisfy { $0 >= 0x30 && $0 <= 0x39 } ? Int(String(decoding: digits, as: UTF8.self)) : nil
    }
}
