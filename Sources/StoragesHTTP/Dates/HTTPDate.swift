package import Foundation

/// Dates in the headers of HTTP.
///
/// <https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7>
package enum HTTPDate {
    private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// Returns a text such as `Fri, 24 May 2013 00:00:00 GMT`; `nil` outside the years 1 to 9999.
    package static func string(from date: Date) -> String? {
        guard let time = CivilTime(date) else { return nil }
        var text = Array("\(weekdays[time.weekday]), ".utf8)
        CivilTime.append(time.day, to: &text)
        text += " \(months[time.month - 1]) ".utf8
        CivilTime.append(time.year / 100, to: &text)
        CivilTime.append(time.year % 100, to: &text)
        for (number, separator) in [(time.hour, " "), (time.minute, ":"), (time.second, ":")] {
            text += separator.utf8
            CivilTime.append(number, to: &text)
        }
        return String(decoding: text, as: UTF8.self) + " GMT"
    }

    /// Reads a date in any of the three formats.
    ///
    /// - Parameter text: Such as `Fri, 24 May 2013 00:00:00 GMT`, `Friday, 24-May-13 00:00:00 GMT` (a year between 1970
    ///   and 2069) or `Fri May 24 00:00:00 2013`. The name of the day is not compared with the date.
    /// - Returns: `nil` for anything else.
    package static func date(from text: String) -> Date? {
        var reader = Reader(text)
        guard reader.skipLetters() else { return nil }
        let time = reader.skip(",") ? reader.timeAfterDate() : reader.timeInsideDate()
        guard let time, reader.isAtEnd else { return nil }
        return time.date
    }

    /// Reads a date from its beginning.
    private struct Reader {
        private var rest: Substring.UTF8View

        init(_ text: String) {
            rest = Substring(text).utf8
        }

        var isAtEnd: Bool { rest.isEmpty }

        mutating func skip(_ text: String) -> Bool {
            guard rest.starts(with: text.utf8) else { return false }
            rest = rest.dropFirst(text.utf8.count)
            return true
        }

        mutating func skipLetters() -> Bool {
            let count = rest.count
            rest = rest.drop { (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) }
            return rest.count < count
        }

        private mutating func number(digits: Int) -> Int? {
            let text = rest.prefix(digits)
            guard text.count == digits, text.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
            rest = rest.dropFirst(digits)
            return text.reduce(0) { $0 * 10 + Int($1 - 0x30) }
        }

        private mutating func month() -> Int? {
            for (index, name) in HTTPDate.months.enumerated() where skip(name) { return index + 1 }
            return nil
        }

        private mutating func clock() -> (hour: Int, minute: Int, second: Int)? {
            guard let hour = number(digits: 2), skip(":"), let minute = number(digits: 2), skip(":"),
                let second = number(digits: 2)
            else { return nil }
            return (hour, minute, second)
        }

        /// Reads the rest of `Fri, 24 May 2013 00:00:00 GMT` and of `Friday, 24-May-13 00:00:00 GMT`.
        mutating func timeAfterDate() -> CivilTime? {
            guard skip(" "), let day = number(digits: 2) else { return nil }
            let isShort = skip("-")
            guard isShort || skip(" "), let month = month(), skip(isShort ? "-" : " "),
                let number = number(digits: isShort ? 2 : 4),
                skip(" "), let (hour, minute, second) = clock(), skip(" GMT") || skip(" UTC")
            else { return nil }
            let year = isShort ? (number < 70 ? 2000 : 1900) + number : number
            return CivilTime(year: year, month: month, day: day, hour: hour, minute: minute, second: second)
        }

        /// Reads the rest of `Fri May 24 00:00:00 2013`, where a day of one digit has a blank before it.
        mutating func timeInsideDate() -> CivilTime? {
            guard skip(" "), let month = month(), skip(" "),
                let day = skip(" ") ? number(digits: 1) : number(digits: 2),
                skip(" "), let (hour, minute, second) = clock(), skip(" "), let year = number(digits: 4)
            else { return nil }
            return CivilTime(year: year, month: month, day: day, hour: hour, minute: minute, second: second)
        }
    }
}
