import Foundation

/// Times as fields of HTTP hold them (RFC 9110 section 5.6.7): `Fri, 24 May 2013 00:00:00 GMT`.
enum HTTPDate {
    private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// `nil` outside the years 1 to 9999.
    static func string(from date: Date) -> String? {
        guard let time = CivilTime(date) else { return nil }
        func two(_ number: Int) -> String { CivilTime.padded(number, to: 2) }
        return "\(weekdays[time.weekday]), \(two(time.day)) \(months[time.month - 1]) "
            + "\(CivilTime.padded(time.year, to: 4)) \(two(time.hour)):\(two(time.minute)):\(two(time.second)) GMT"
    }

    /// Takes the one form that is sent today; `nil` for anything else.
    static func date(from text: String) -> Date? {
        let parts = text.split(separator: " ")
        guard parts.count == 6, parts[0].hasSuffix(","), parts[5] == "GMT" || parts[5] == "UTC",
            let day = Int(parts[1]), let year = Int(parts[3]),
            let month = months.firstIndex(of: String(parts[2]))
        else { return nil }
        let clock = parts[4].split(separator: ":", omittingEmptySubsequences: false)
        guard clock.count == 3, clock.allSatisfy({ $0.utf8.count == 2 }),
            let hour = Int(clock[0]), let minute = Int(clock[1]), let second = Int(clock[2])
        else { return nil }
        return CivilTime(year: year, month: month + 1, day: day, hour: hour, minute: minute, second: second)?.date
    }
}
