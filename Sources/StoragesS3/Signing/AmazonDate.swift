import Foundation
import StoragesHTTP

/// A second in UTC, in the formats of signatures.
struct AmazonDate: Hashable, Sendable {
    /// The seconds since 1970, without leap seconds, in ``CivilTime/range``.
    let secondsSince1970: Int

    /// Creates the second of a date; one before the year 1 or after 9999 becomes the first or last that has four
    /// digits.
    init(_ date: Date) {
        let seconds = date.timeIntervalSince1970.rounded(.down)
        let bounds = Double(CivilTime.range.lowerBound)...Double(CivilTime.range.upperBound)
        // min and max pass NaN on, which has no integer.
        secondsSince1970 = seconds.isNaN ? 0 : Int(min(max(seconds, bounds.lowerBound), bounds.upperBound))
    }

    init(secondsSince1970: Int) {
        self.secondsSince1970 = min(max(secondsSince1970, CivilTime.range.lowerBound), CivilTime.range.upperBound)
    }

    var date: Date { Date(timeIntervalSince1970: Double(secondsSince1970)) }

    /// Returns the start of the window the second lies in; windows begin at 1970.
    func floored(toMultipleOf window: Int) -> AmazonDate {
        let remainder = secondsSince1970 % window
        return AmazonDate(secondsSince1970: secondsSince1970 - (remainder < 0 ? remainder + window : remainder))
    }

    /// The format of `X-Amz-Date`: `20130524T000000Z`.
    var timestamp: String { civil.basicTimestamp }
    /// The extended format of ISO 8601: `2013-05-24T00:00:00Z`.
    var iso8601: String { civil.extendedTimestamp }

    private var civil: CivilTime { CivilTime(secondsSince1970: secondsSince1970) }
}
