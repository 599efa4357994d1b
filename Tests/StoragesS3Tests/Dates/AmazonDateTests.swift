import Foundation
import Testing

@testable import StoragesHTTP
@testable import StoragesS3

@Suite("Dates of requests")
struct AmazonDateTests {
    @Test(
        "A request date is written in the basic and in the extended form",
        arguments: [
            (0, "19700101T000000Z", "1970-01-01T00:00:00Z"),
            (1_369_353_600, "20130524T000000Z", "2013-05-24T00:00:00Z"),
            (951_782_399, "20000228T235959Z", "2000-02-28T23:59:59Z"),
            (951_782_400, "20000229T000000Z", "2000-02-29T00:00:00Z"),
            (4_107_542_399, "21000228T235959Z", "2100-02-28T23:59:59Z"),
            (4_107_542_400, "21000301T000000Z", "2100-03-01T00:00:00Z"),
            (-1, "19691231T235959Z", "1969-12-31T23:59:59Z"),
            (253_402_300_799, "99991231T235959Z", "9999-12-31T23:59:59Z"),
            (-62_135_596_800, "00010101T000000Z", "0001-01-01T00:00:00Z"),
        ]
    )
    func forms(seconds: Int, basic: String, extended: String) {
        let date = AmazonDate(secondsSince1970: seconds)
        #expect(date.timestamp == basic)
        #expect(date.iso8601 == extended)
        #expect(date.date == Date(timeIntervalSince1970: Double(seconds)))
    }

    @Test("Request dates agree with Foundation's calendar on 2000 moments of eight centuries")
    func calendar() {
        let formatter = ISO8601DateFormatter()
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            // Foundation's calendar is Julian before 1582.
            let seconds = Int.random(in: -12_000_000_000...13_000_000_000, using: &generator)
            let date = AmazonDate(secondsSince1970: seconds)
            let expected = formatter.string(from: date.date)
            #expect(date.iso8601 == expected)
            #expect(ISO8601Timestamp.date(from: expected) == date.date)
        }
    }

    @Test("A request date is rounded down to the second and limited to years of four digits")
    func rounding() {
        #expect(AmazonDate(Date(timeIntervalSince1970: 1.999)).secondsSince1970 == 1)
        #expect(AmazonDate(Date(timeIntervalSince1970: -0.001)).secondsSince1970 == -1)
        #expect(AmazonDate(.distantFuture).timestamp == "40010101T000000Z")
        #expect(AmazonDate(Date(timeIntervalSince1970: .infinity)).timestamp == "99991231T235959Z")
        #expect(AmazonDate(Date(timeIntervalSince1970: -.greatestFiniteMagnitude)).timestamp == "00010101T000000Z")
        #expect(AmazonDate(Date(timeIntervalSince1970: .nan)).timestamp == "19700101T000000Z")
        #expect(AmazonDate(secondsSince1970: -1).floored(toMultipleOf: 60).secondsSince1970 == -60)
        #expect(AmazonDate(secondsSince1970: 119).floored(toMultipleOf: 60).secondsSince1970 == 60)
    }
}
