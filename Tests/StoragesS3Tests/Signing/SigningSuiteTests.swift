import Storages
import Testing

@testable import StoragesHTTP
@testable import StoragesS3

@Suite("The signing suite of AWS")
struct SigningSuiteTests {
    struct Case: Decodable, Sendable, CaseWithCredentials, CustomTestStringConvertible {
        var name: String
        var method: String
        var path: String
        var query: [[String]]
        var headers: [[String]]
        var body: String
        var accessKey: String
        var secretKey: String
        var token: String?
        var addsTokenAfterSigning: Bool
        var normalizesPath: Bool
        var addsContentSHA256: Bool
        var region: String
        var date: String
        var lifetime: Int
        var headerSignature: String
        var querySignature: String

        var testDescription: String { name }

        func signer(normalizesPath: Bool) -> SigV4Signer {
            var options = SigV4Signer.Options()
            options.normalizesPath = normalizesPath
            options.addsContentSHA256 = addsContentSHA256
            options.addsTokenAfterSigning = addsTokenAfterSigning
            options.signsContentLength = true
            return SigV4Signer(region: region, service: "service", options: options)
        }

        func request() throws -> SignableRequest {
            SignableRequest(
                method: method,
                path: PercentEncoding.encode(path: path),
                query: parameters(query),
                headers: HTTPHeaders(fields(headers)),
                payload: body.isEmpty ? .empty : .sha256(try SHA256Hasher.hash(body).hexadecimal)
            )
        }

        func headers(normalizingPath: Bool) throws -> HTTPHeaders {
            try signer(normalizesPath: normalizingPath)
                .headers(signing: request(), with: credentials, at: StoragesS3Tests.date(date))
        }

        func query(normalizingPath: Bool) throws -> String {
            try signer(normalizesPath: normalizingPath).signedQuery(
                request(),
                lifetime: lifetime,
                with: credentials,
                at: AmazonDate(StoragesS3Tests.date(date))
            )
        }
    }

    static let cases: [Case] = (try? RecordedCases.load("suite.json")) ?? []

    /// Those whose path S3 takes as it is, and other services do not.
    static let normalizing: Set<String> = [
        "get-relative-normalized", "get-relative-relative-normalized", "get-slash-dot-slash-normalized",
        "get-slash-normalized", "get-slash-pointless-dot-normalized", "get-slashes-normalized",
    ]

    @Test("The signing suite of AWS has 38 cases, six of which normalise the path")
    func count() {
        #expect(Self.cases.count == 38)
        #expect(Self.normalizing.isSubset(of: Self.cases.map(\.name)))
    }

    @Test("The generic signer meets the signing suite of AWS, in headers and in queries", arguments: cases)
    func generic(_ example: Case) throws {
        let headers = try example.headers(normalizingPath: example.normalizesPath)
        #expect(signature(in: headers["Authorization"]) == example.headerSignature)
        #expect(headers["x-amz-security-token"] == example.token)
        let query = try example.query(normalizingPath: example.normalizesPath)
        #expect(signature(in: query) == example.querySignature)
        #expect(query.contains("X-Amz-Security-Token=") == (example.token != nil))
    }

    @Test("The S3 signer meets the signing suite of AWS, except for the six normalised paths", arguments: cases)
    func s3Mode(_ example: Case) throws {
        let differs = Self.normalizing.contains(example.name)
        let headers = try example.headers(normalizingPath: false)
        #expect((signature(in: headers["Authorization"]) != example.headerSignature) == differs)
        #expect((signature(in: try example.query(normalizingPath: false)) != example.querySignature) == differs)
    }
}
