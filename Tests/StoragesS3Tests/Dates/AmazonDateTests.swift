import Foundation
import Testing

@testable import StoragesS3

@Suite("Dates of requests")
struct AmazonDateTests {
    @Test(
        "are written and read in all forms",
        arguments: [
            (0, "19700101T000000Z", "1970-01-01T00:00:00Z"),
            (1_369_353_600, "20130524T000000Z", "2013-05-24T00:00:00Z"),
            (951_782_399, "20000228T235959Z", "2000-02-28T23:59:59Z"),
            (951_782_400, "20000229T000000Z", "2000-02-29T00:00:00Z"),
            (4_107_542_399, "21000228T235959Z", "2100-02-28T23:59:59Z"),
            (4_107_542_400, "21000301T000000Z", "2100-03-01T00:00:00Z"),
            (-1, "19691231T235959Z", "1969-12-31T23:59:59Z"),
            (253_402_300_799, "99991231T235959Z", "9999-12-31T23:59:59Z"),
            (-62_167_219_200, "00000101T000000Z", "0000-01-01T00:00:00Z"),
        ]
    )
    func forms(seconds: Int, basic: String, extended: String) {
        let date = AmazonDate(secondsSince1970: seconds)
        #expect(date.timestamp == basic)
        #expect(date.iso8601 == extended)
        #expect(date.day == String(basic.prefix(8)))
        #expect(AmazonDate(basic) == date)
        #expect(AmazonDate(extended) == date)
        #expect(date.date == Date(timeIntervalSince1970: Double(seconds)))
    }

    @Test("agree with Foundation's calendar on 2000 days of eight centuries")
    func calendar() {
        let formatter = ISO8601DateFormatter()
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            // Foundation's calendar is Julian before 1582.
            let seconds = Int.random(in: -12_000_000_000...13_000_000_000, using: &generator)
            let date = AmazonDate(secondsSince1970: seconds)
            let expected = formatter.string(from: date.date)
            #expect(date.iso8601 == expected)
            #expect(AmazonDate(expected)?.secondsSince1970 == seconds)
        }
    }

    @Test("are cut down to the second, and to years of four digits")
    func rounding() {
        #expect(AmazonDate(Date(timeIntervalSince1970: 1.999)).secondsSince1970 == 1)
        #expect(AmazonDate(Date(timeIntervalSince1970: -0.001)).secondsSince1970 == -1)
        #expect(AmazonDate(.distantFuture).timestamp == "40010101T000000Z")
        #expect(AmazonDate(Date(timeIntervalSince1970: .infinity)).timestamp == "99991231T235959Z")
        #expect(AmazonDate(Date(timeIntervalSince1970: -.greatestFiniteMagnitude)).timestamp == "00000101T000000Z")
        #expect(AmazonDate(Date(timeIntervalSince1970: .nan)).timestamp == "19700101T000000Z")
        #expect(AmazonDate(secondsSince1970: -1).floored(toMultipleOf: 60).secondsSince1970 == -60)
        #expect(AmazonDate(secondsSince1970: 119).floored(toMultipleOf: 60).secondsSince1970 == 60)
    }

    @Test(
        "are read with a fraction, which is cut off",
        arguments: ["2013-05-24T00:00:00.999Z", "2013-05-24T00:00:00.000000001Z"]
    )
    func fractions(text: String) {
        #expect(AmazonDate(text)?.timestamp == "20130524T000000Z")
    }

    @Test(
        "are read in the three forms of HTTP",
        arguments: [
            "Fri, 24 May 2013 01:02:03 GMT", "Friday, 24-May-13 01:02:03 GMT", "Fri May 24 01:02:03 2013",
        ]
    )
    func http(text: String) {
        #expect(AmazonDate(http: text)?.timestamp == "20130524T010203Z")
    }

    @Test("know the century of two digits, the blank before one digit, and leap seconds")
    func httpDetails() {
        #expect(AmazonDate(http: "Sunday, 06-Nov-94 08:49:37 GMT")?.secondsSince1970 == 784_111_777)
        #expect(AmazonDate(http: "Sun Nov  6 08:49:37 1994")?.secondsSince1970 == 784_111_777)
        #expect(AmazonDate(http: "Sat, 31 Dec 2016 23:59:60 GMT")?.timestamp == "20161231T235959Z")
    }

    @Test(
        "are not read from anything else",
        arguments: [
            "", "2013", "20130524", "20130524T000000", "20130524T000000Zx", "20130524T000000+01",
            "2013-05-24T00:00:00+01:00",
            "20130229T000000Z", "21000229T000000Z", "19000229T000000Z", "20130024T000000Z", "20131324T000000Z",
            "20130500T000000Z", "20130431T000000Z",
            "20130524T240000Z", "20130524T006000Z", "20130524T000061Z", "2013-0524T000000Z", "2013-05-24T00:0000Z",
            "2013-05-24T00:00:00.Z", "20130524T000000.5Z", "+0130524T000000Z", "２0130524T000000Z",
            "Fri, 24 May 2013 00:00:00 CET", "Fri, 24 Mai 2013 00:00:00 GMT", "Fri, 31 Apr 2013 00:00:00 GMT",
            "Fri, 24 May 2013 0:00:00 GMT", "24 May 2013 00:00:00 GMT", "Fri, 24 May 2013 00:00:00 GMT ",
        ]
    )
    func malformed(text: String) {
        #expect(AmazonDate(text) == nil)
        #expect(AmazonDate(http: text) == nil)
    }
}
