import Foundation
import Testing

@testable import StoragesHTTP
@testable import StoragesS3

/// The signatures of another signer for requests, recorded by `Fixtures/s3-signing/make-vectors.py`.
enum RecordedCases {
    static func load<Case: Decodable>(_ name: String, as type: [Case].Type = [Case].self) throws -> [Case] {
        let url = folder.appendingPathComponent(name)
        return try JSONDecoder().decode([Case].self, from: Data(contentsOf: url))
    }

    static func text(_ name: String) throws -> String {
        try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
    }

    private static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Fixtures/s3-signing")
}

/// The credentials of a recorded case.
protocol CaseWithCredentials {
    var accessKey: String { get }
    var secretKey: String { get }
    var token: String? { get }
    /// Such as `2013-05-24T00:00:00Z`.
    var date: String { get }
}

extension CaseWithCredentials {
    var credentials: S3Credentials {
        S3Credentials(accessKeyID: accessKey, secretAccessKey: secretKey, sessionToken: token)
    }
}

/// Pairs of strings, as JSON has them.
func fields(_ pairs: [[String]]) -> [HTTPHeaders.Field] {
    pairs.map { HTTPHeaders.Field(name: $0[0], value: $0[1]) }
}

func parameters(_ pairs: [[String]]) -> [(name: String, value: String)] {
    pairs.map { ($0[0], $0[1]) }
}

/// The signature at the end of an Authorization header or of a URL.
func signature(in text: String?) -> String {
    String((text ?? "").suffix(64))
}

/// The moment of `20130524T000000Z`, or of the extended form.
func date(_ text: String) throws -> Date {
    guard !text.contains("-") else { return try #require(ISO8601Timestamp.date(from: text)) }
    let digits = Array(text)
    try #require(digits.count == 16)
    func part(_ range: Range<Int>) -> String { String(digits[range]) }
    let extended = "\(part(0..<4))-\(part(4..<6))-\(part(6..<11)):\(part(11..<13)):\(part(13..<16))"
    return try #require(ISO8601Timestamp.date(from: extended))
}
