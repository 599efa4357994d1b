import Foundation
import Testing

@testable import StoragesHTTP
@testable import StoragesS3

@Suite("Formats of dates")
struct DateFormatTests {
    @Test(
        "Dates are split and formatted like those of Foundation's calendar",
        arguments: [
            0, 1_369_353_600, -1, -86_400, 951_782_400, 951_868_799, 4_107_542_399, 253_402_300_799,
            1_709_164_800, -11_670_912_000,
        ] as [Double]
    )
    func calendar(seconds: Double) throws {
        var calendar = Calendar(identifier: .iso8601)
        calendar.timeZone = try #require(TimeZone(secondsFromGMT: 0))
        let date = Date(timeIntervalSince1970: seconds)
        let time = try #require(CivilTime(date))
        let expected = calendar.dateComponents([.year, .month, .day, .hour, .minute, .second, .weekday], from: date)
        #expect(time.year == expected.year)
        #expect(time.month == expected.month)
        #expect(time.day == expected.day)
        #expect(time.hour == expected.hour)
        #expect(time.minute == expected.minute)
        #expect(time.second == expected.second)
        #expect(time.weekday + 1 == expected.weekday)
        #expect(time.date == date)
        #expect(ISO8601Timestamp.string(from: date).flatMap(ISO8601Timestamp.date(from:)) == date)
        #expect(HTTPDate.string(from: date).flatMap(HTTPDate.date(from:)) == date)
    }

    @Test("HTTP and ISO 8601 dates are written and read as the standards say")
    func text() {
        let date = Date(timeIntervalSince1970: 784_111_777)
        #expect(HTTPDate.string(from: date) == "Sun, 06 Nov 1994 08:49:37 GMT")
        #expect(ISO8601Timestamp.string(from: date) == "1994-11-06T08:49:37Z")
        #expect(ISO8601Timestamp.string(from: Date(timeIntervalSince1970: -62_135_596_800)) == "0001-01-01T00:00:00Z")
        #expect(ISO8601Timestamp.date(from: "1994-11-06T09:49:37+01:00") == date)
        #expect(ISO8601Timestamp.date(from: "1994-11-06T07:19:37.000-0130") == date)
        #expect(ISO8601Timestamp.date(from: "1994-11-06 08:49:37.25") == date.addingTimeInterval(0.25))
    }

    @Test(
        "HTTP dates are read in the three forms of the standard",
        arguments: [
            ("Fri, 24 May 2013 01:02:03 GMT", "2013-05-24T01:02:03Z"),
            ("Friday, 24-May-13 01:02:03 GMT", "2013-05-24T01:02:03Z"),
            ("Fri May 24 01:02:03 2013", "2013-05-24T01:02:03Z"),
            ("Sunday, 06-Nov-94 08:49:37 GMT", "1994-11-06T08:49:37Z"),
            ("Sun Nov  6 08:49:37 1994", "1994-11-06T08:49:37Z"),
            ("Sat, 31 Dec 2016 23:59:60 GMT", "2017-01-01T00:00:00Z"),
        ]
    )
    func http(text: String, expected: String) {
        #expect(HTTPDate.date(from: text).flatMap(ISO8601Timestamp.string(from:)) == expected)
    }

    @Test(
        "Text that is no HTTP or ISO 8601 date is refused",
        arguments: [
            "", "2013", "2013-02-29T00:00:00Z", "2013-13-01T00:00:00Z", "2013-01-01T24:00:00Z", "2013-01-01T00:00:00X",
            "2013-01-01T00:00:00.Z", "2013-01-01T00:00:00+1", "-013-01-01T00:00:00Z", "٢013-01-01T00:00:00Z",
            "Sun, 32 Nov 1994 08:49:37 GMT", "Sun, 06 Now 1994 08:49:37 GMT", "Sunday, 06-Nov-1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 8:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 PST", "Sun, 06 Nov 1994 08:49:37 GMT ",
            "Fri, 31 Apr 2013 00:00:00 GMT", "06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 94 08:49:37 GMT",
        ]
    )
    func refusals(text: String) {
        #expect(ISO8601Timestamp.date(from: text) == nil)
        #expect(HTTPDate.date(from: text) == nil)
    }

    @Test(
        "Moments out of range have no HTTP or ISO 8601 form",
        arguments: [.infinity, -.infinity, .nan, 1e18, -1e12] as [Double]
    )
    func extremes(seconds: Double) {
        #expect(ISO8601Timestamp.string(from: Date(timeIntervalSince1970: seconds)) == nil)
        #expect(HTTPDate.string(from: Date(timeIntervalSince1970: seconds)) == nil)
    }
}
