import Foundation

/// A second in UTC, in the forms that requests and answers of Amazon's services have.
///
/// Computed with the proleptic Gregorian calendar and no formatter, which would cost more than the signature.
struct AmazonDate: Hashable, Sendable {
    /// Seconds since 1970, without leap seconds, in the years 0 to 9999.
    let secondsSince1970: Int

    private static let range = -62_167_219_200...253_402_300_799

    /// Takes a date down to its second; one before the year 0 or after 9999 becomes the first or last that has four digits.
    init(_ date: Date) {
        let seconds = date.timeIntervalSince1970.rounded(.down)
        let bounds = Double(AmazonDate.range.lowerBound)...Double(AmazonDate.range.upperBound)
        // min and max pass NaN on, which has no integer.
        secondsSince1970 = seconds.isNaN ? 0 : Int(min(max(seconds, bounds.lowerBound), bounds.upperBound))
    }

    init(secondsSince1970: Int) {
        self.secondsSince1970 = min(max(secondsSince1970, AmazonDate.range.lowerBound), AmazonDate.range.upperBound)
    }

    var date: Date { Date(timeIntervalSince1970: Double(secondsSince1970)) }

    /// The start of the window the second lies in; windows begin at 1970.
    func floored(toMultipleOf window: Int) -> AmazonDate {
        let remainder = secondsSince1970 % window
        return AmazonDate(secondsSince1970: secondsSince1970 - (remainder < 0 ? remainder + window : remainder))
    }

    // MARK: Writing

    /// As in `X-Amz-Date`: `20130524T000000Z`.
    var timestamp: String { text(withTime: true, isExtended: false) }
    /// As in a credential's scope: `20130524`.
    var day: String { text(withTime: false, isExtended: false) }
    /// The extended form of ISO 8601: `2013-05-24T00:00:00Z`.
    var iso8601: String { text(withTime: true, isExtended: true) }

    private func text(withTime: Bool, isExtended: Bool) -> String {
        let civil = CalendarTime(secondsSince1970: secondsSince1970)
        var text: [UInt8] = []
        text.reserveCapacity(20)
        func append(_ number: Int, after separator: UInt8? = nil) {
            if let separator { text.append(separator) }
            text.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number / 10))
            text.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number % 10))
        }
        let dash = isExtended ? UInt8(ascii: "-") : nil
        let colon = isExtended ? UInt8(ascii: ":") : nil
        append(civil.year / 100)
        append(civil.year % 100)
        append(civil.month, after: dash)
        append(civil.day, after: dash)
        if withTime {
            append(civil.hour, after: UInt8(ascii: "T"))
            append(civil.minute, after: colon)
            append(civil.second, after: colon)
            text.append(UInt8(ascii: "Z"))
        }
        return String(decoding: text, as: UTF8.self)
    }

    // MARK: Reading

    /// Reads `20130524T000000Z`; also `2013-05-24T00:00:00Z`, with or without a fraction, which is cut off.
    ///
    /// - Returns: `nil` for anything else, such as another time zone or a day that does not exist.
    init?(_ text: String) {
        var reader = DateReader(text)
        guard let year = reader.number(digits: 4) else { return nil }
        let isExtended = reader.skip("-")
        guard let month = reader.number(digits: 2), reader.skip("-") == isExtended, let day = reader.number(digits: 2),
            reader.skip("T"),
            let hour = reader.number(digits: 2), reader.skip(":") == isExtended, let minute = reader.number(digits: 2),
            reader.skip(":") == isExtended, let second = reader.number(digits: 2)
        else { return nil }
        if isExtended, reader.skip(".") {
            guard reader.skipDigits() else { return nil }
        }
        guard reader.skip("Z"), reader.isAtEnd else { return nil }
        self.init(CalendarTime(year: year, month: month, day: day, hour: hour, minute: minute, second: second))
    }

    /// Reads the date of an HTTP field, in any of the three forms of RFC 9110 section 5.6.7.
    ///
    /// - Parameter text: Such as `Fri, 24 May 2013 00:00:00 GMT`, `Friday, 24-May-13 00:00:00 GMT` (a year between 1970
    ///   and 2069) or `Fri May 24 00:00:00 2013`. The name of the day is not compared with the date.
    /// - Returns: `nil` for anything else.
    init?(http text: String) {
        var reader = DateReader(text)
        guard reader.skipLetters() else { return nil }
        let civil = reader.skip(",") ? reader.dateBeforeTime() : reader.dateAroundTime()
        guard let civil, reader.isAtEnd else { return nil }
        self.init(civil)
    }

    private init?(_ civil: CalendarTime) {
        guard let seconds = civil.secondsSince1970 else { return nil }
        secondsSince1970 = seconds
    }
}

/// A second as the calendar names it.
private struct CalendarTime {
    var year: Int
    var month: Int
    var day: Int
    var hour: Int
    var minute: Int
    var second: Int
}

// Both ways count days in eras of 400 years whose years begin in March, so that the leap day is the last of its year.
extension CalendarTime {
    init(secondsSince1970 seconds: Int) {
        // 719 468 days lie between March 1 of the year 0 and January 1, 1970; the range of AmazonDate begins on January 1
        // of the year 0, so an era more keeps all numbers positive.
        let shifted = seconds + (719_468 + 146_097) * 86_400
        let days = shifted / 86_400
        let time = shifted % 86_400
        let era = days / 146_097
        let dayOfEra = days % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = (era - 1) * 400 + yearOfEra + (month <= 2 ? 1 : 0)
        day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        hour = time / 3600
        minute = time / 60 % 60
        second = time % 60
    }

    /// `nil` when there is no such second; a leap second is the one before it.
    var secondsSince1970: Int? {
        guard (1...12).contains(month), (1...daysInMonth).contains(day), hour < 24, minute < 60, second <= 60 else {
            return nil
        }
        let yearFromMarch = (month <= 2 ? year - 1 : year) + 400
        let yearOfEra = yearFromMarch % 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let days = yearFromMarch / 400 * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return (days - 719_468 - 146_097) * 86_400 + hour * 3600 + minute * 60 + min(second, 59)
    }

    private var daysInMonth: Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}

/// Reads a date from its beginning.
private struct DateReader {
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

    mutating func number(digits: Int) -> Int? {
        let text = rest.prefix(digits)
        guard text.count == digits, text.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        rest = rest.dropFirst(digits)
        return text.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }

    mutating func skipDigits() -> Bool {
        skip { (0x30...0x39).contains($0) }
    }

    mutating func skipLetters() -> Bool {
        skip { (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) }
    }

    private mutating func skip(while isSkipped: (UInt8) -> Bool) -> Bool {
        let count = rest.count
        rest = rest.drop(while: isSkipped)
        return rest.count < count
    }

    /// The rest of `Fri, 24 May 2013 00:00:00 GMT` and of `Friday, 24-May-13 00:00:00 GMT`.
    mutating func dateBeforeTime() -> CalendarTime? {
        guard skip(" "), let day = number(digits: 2) else { return nil }
        let separator = skip("-") ? "-" : " "
        guard separator == "-" || skip(" "), let month = month(), skip(separator), let year = year(separator),
            skip(" "), var civil = time(), skip(" GMT")
        else { return nil }
        (civil.year, civil.month, civil.day) = (year, month, day)
        return civil
    }

    /// The rest of `Fri May 24 00:00:00 2013`, where a day of one digit has a blank before it.
    mutating func dateAroundTime() -> CalendarTime? {
        guard skip(" "), let month = month(), skip(" "), let day = skip(" ") ? number(digits: 1) : number(digits: 2),
            skip(" "), var civil = time(), skip(" "), let year = number(digits: 4)
        else { return nil }
        (civil.year, civil.month, civil.day) = (year, month, day)
        return civil
    }

    private mutating func month() -> Int? {
        let names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        for (index, name) in names.enumerated() where skip(name) { return index + 1 }
        return nil
    }

    private mutating func year(_ separator: String) -> Int? {
        guard separator == "-" else { return number(digits: 4) }
        return number(digits: 2).map { $0 < 70 ? 2000 + $0 : 1900 + $0 }
    }

    private mutating func time() -> CalendarTime? {
        guard let hour = number(digits: 2), skip(":"), let minute = number(digits: 2), skip(":"),
            let second = number(digits: 2)
        else { return nil }
        return CalendarTime(year: 0, month: 1, day: 1, hour: hour, minute: minute, second: second)
    }
}
