package import Foundation

/// A moment as the Gregorian calendar and a clock in UTC show it, in whole seconds.
///
/// Computed without a formatter, which would cost more than the signature of a request.
package struct CivilTime: Hashable, Sendable {
    private static let daysFromYearZeroTo1970 = 719_468
    /// The years 1 to 9999, which the formats of the web can write, in seconds since 1970.
    package static let range = -62_135_596_800...253_402_300_799

    package var year: Int
    package var month: Int
    package var day: Int
    package var hour = 0
    package var minute = 0
    package var second = 0

    /// Creates the time of a date; `nil` outside the years 1 to 9999.
    package init?(_ date: Date) {
        guard let seconds = Int(exactly: date.timeIntervalSince1970.rounded(.down)), CivilTime.range.contains(seconds)
        else { return nil }
        self.init(secondsSince1970: seconds)
    }

    /// Creates the time of seconds in ``range``.
    package init(secondsSince1970 seconds: Int) {
        let days = seconds >= 0 ? seconds / 86_400 : -((86_399 - seconds) / 86_400)
        let rest = seconds - days * 86_400
        // Years begin in March here, so that the leap day is their last.
        let shifted = days + CivilTime.daysFromYearZeroTo1970
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        hour = rest / 3600
        minute = rest / 60 % 60
        second = rest % 60
    }

    /// Creates a time, which takes a leap second for the second after it; `nil` when there is no such day or time.
    package init?(year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int) {
        guard (1...9999).contains(year), (1...12).contains(month),
            (1...CivilTime.days(ofMonth: month, year: year)).contains(day),
            (0...23).contains(hour), (0...59).contains(minute), (0...60).contains(second)
        else { return nil }
        self.year = year
        self.month = month
        self.day = day
        self.hour = hour
        self.minute = minute
        self.second = second
    }

    /// The number of days since 1 January 1970.
    private var daysSince1970: Int {
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = shiftedYear / 400
        let yearOfEra = shiftedYear % 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
            - CivilTime.daysFromYearZeroTo1970
    }

    package var date: Date {
        Date(timeIntervalSince1970: Double(daysSince1970 * 86_400 + hour * 3600 + minute * 60 + second))
    }

    /// The day of the week, 0 for Sunday.
    package var weekday: Int {
        // 1 January 1970 was a Thursday; whole weeks are added because days before it are negative.
        (daysSince1970 + 4 + 7 * 103_000) % 7
    }

    private static func days(ofMonth month: Int, year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    // MARK: ISO 8601

    /// The basic format of ISO 8601: `20130524T000000Z`.
    package var basicTimestamp: String { iso8601(isExtended: false) }
    /// The extended format of ISO 8601: `2013-05-24T00:00:00Z`.
    package var extendedTimestamp: String { iso8601(isExtended: true) }

    private func iso8601(isExtended: Bool) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(20)
        func append(_ number: Int, after separator: UInt8? = nil) {
            if let separator { text.append(separator) }
            CivilTime.append(number, to: &text)
        }
        let dash = isExtended ? UInt8(ascii: "-") : nil
        let colon = isExtended ? UInt8(ascii: ":") : nil
        append(year / 100)
        append(year % 100)
        append(month, after: dash)
        append(day, after: dash)
        append(hour, after: UInt8(ascii: "T"))
        append(minute, after: colon)
        append(second, after: colon)
        text.append(UInt8(ascii: "Z"))
        return String(decoding: text, as: UTF8.self)
    }

    /// Appends a number as two digits.
    package static func append(_ number: Int, to text: inout [UInt8]) {
        text.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number / 10))
        text.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number % 10))
    }
}
