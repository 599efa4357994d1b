import Foundation
import Storages
import Testing

@testable import StoragesHTTP
@testable import StoragesS3

@Suite("Presigned URLs")
struct PresignedURLTests {
    struct Case: Decodable, Sendable, CaseWithCredentials {
        var method: String
        var origin: String
        var path: String
        var query: [[String]]
        var overrides: [String: String]
        var headers: [[String]]
        var lifetime: Int
        var region: String
        var date: String
        var accessKey: String
        var secretKey: String
        var token: String?
        var url: String

        func request() throws -> PresignedURL.Request {
            var request = PresignedURL.Request(
                method: try #require(HTTPRequest.Method(rawValue: method)),
                origin: origin,
                path: path,
                lifetime: .seconds(lifetime),
                headers: HTTPHeaders(fields(headers)),
                query: parameters(query)
            )
            request.overrides.contentDisposition = overrides["response-content-disposition"]
            request.overrides.contentType = overrides["response-content-type"]
            request.overrides.contentLanguage = overrides["response-content-language"]
            request.overrides.contentEncoding = overrides["response-content-encoding"]
            request.overrides.cacheControl = overrides["response-cache-control"]
            request.overrides.expires = overrides["response-expires"]
            return request
        }
    }

    /// botocore does not sort what it sends.
    private func sorted(_ url: String) -> [String] {
        let halves = url.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        return [String(halves[0])] + halves[1].split(separator: "&").map(String.init).sorted()
    }

    @Test("Presigned URLs agree with botocore on 120 random requests")
    func recorded() throws {
        let cases = try RecordedCases.load("presigned.json", as: [Case].self)
        #expect(cases.count == 120)
        for (index, example) in cases.enumerated() {
            let made = try SigV4Signer(region: example.region)
                .presignedURL(example.request(), with: example.credentials, at: date(example.date))
            #expect(sorted(made.url) == sorted(example.url), "case \(index)")
            #expect(made.url.hasSuffix("&X-Amz-Signature=" + signature(in: example.url)), "case \(index)")
            #expect(try made.expiration == date(example.date).addingTimeInterval(Double(example.lifetime)))
            #expect(!made.isCutShort)
        }
    }

    private let signer = SigV4Signer(region: "us-east-1")
    private let credentials = S3Credentials(accessKeyID: "AKIAEXAMPLE", secretAccessKey: "secret")
    private let now = Date(timeIntervalSince1970: 1_400_000_000.75)

    private func request(
        _ method: HTTPRequest.Method = .get,
        for lifetime: Duration = .seconds(60)
    ) -> PresignedURL.Request {
        PresignedURL.Request(method: method, origin: "https://h", path: "/k", lifetime: lifetime)
    }

    private func refusal(
        _ request: PresignedURL.Request,
        sourceLocation: SourceLocation = #_sourceLocation
    ) -> StorageError? {
        #expect(throws: StorageError.self, sourceLocation: sourceLocation) {
            try signer.presignedURL(request, with: credentials, at: now)
        }
    }

    @Test("A presigned URL has a lifetime of one second to seven days", arguments: [1, 2, 604_799, 604_800])
    func lifetimes(seconds: Int) throws {
        let made = try signer.presignedURL(request(for: .seconds(seconds)), with: credentials, at: now)
        #expect(made.url.contains("&X-Amz-Expires=\(seconds)&"))
        #expect(made.expiration == Date(timeIntervalSince1970: 1_400_000_000 + Double(seconds)))
    }

    @Test(
        "A presigned URL is refused for any other lifetime or quantum",
        arguments: [
            .zero, .seconds(-1), .milliseconds(999), .seconds(604_801), .seconds(604_800) + .nanoseconds(1),
            .seconds(Int64.max),
        ] as [Duration]
    )
    func badLifetimes(lifetime: Duration) {
        #expect(refusal(request(for: lifetime))?.code == .invalidURL)
        var quantized = request()
        quantized.quantum = lifetime
        #expect(refusal(quantized)?.code == .invalidURL)
    }

    @Test("A presigned URL expires with temporary credentials")
    func effectiveExpiration() throws {
        var credentials = credentials
        credentials.sessionToken = "t+/="
        credentials.expiration = Date(timeIntervalSince1970: 1_400_000_030)
        let short = try signer.presignedURL(request(), with: credentials, at: now)
        #expect(short.expiration == credentials.expiration)
        #expect(short.isCutShort)
        #expect(short.url.contains("&X-Amz-Expires=60&X-Amz-Security-Token=t%2B%2F%3D&X-Amz-SignedHeaders=host&"))
        credentials.expiration = Date(timeIntervalSince1970: 1_400_009_999)
        let long = try signer.presignedURL(request(), with: credentials, at: now)
        #expect(long.expiration == Date(timeIntervalSince1970: 1_400_000_060))
        #expect(!long.isCutShort)
    }

    @Test("Presigned URLs are equal within a quantum and live at least as long as requested")
    func quantum() throws {
        var request = request(for: .seconds(100))
        request.quantum = .seconds(50)
        func made(_ seconds: Double) throws -> PresignedURL {
            try signer.presignedURL(request, with: credentials, at: Date(timeIntervalSince1970: seconds))
        }
        let first = try made(1_400_000_000)
        #expect(try made(1_400_000_049.9).url == first.url)
        #expect(try made(1_400_000_050).url != first.url)
        #expect(try made(1_399_999_999.9).url != first.url)
        #expect(first.expiration == Date(timeIntervalSince1970: 1_400_000_150))
        var fading = credentials
        fading.expiration = Date(timeIntervalSince1970: 1_400_000_130)
        let long = try signer.presignedURL(request, with: fading, at: Date(timeIntervalSince1970: 1_400_000_020))
        #expect(!long.isCutShort)
        #expect(long.expiration == fading.expiration)
    }

    @Test("A presigned URL is refused when lifetime and quantum together exceed seven days")
    func longQuantum() throws {
        var request = request(for: .seconds(604_750))
        request.quantum = .seconds(50)
        #expect(try signer.presignedURL(request, with: credentials, at: now).url.contains("&X-Amz-Expires=604800&"))
        request.quantum = .seconds(51)
        #expect(refusal(request)?.code == .invalidURL)
    }

    @Test(
        "Parameters of the signature are refused in the request for a presigned URL",
        arguments: [
            "X-Amz-Algorithm", "X-Amz-Credential", "x-amz-date", "X-AMZ-EXPIRES", "X-Amz-SignedHeaders",
            "X-Amz-Security-Token", "X-Amz-Signature", "X-Amz-Content-SHA256",
        ]
    )
    func reserved(name: String) {
        var inQuery = request()
        inQuery.query = [("a", "b"), (name, "v")]
        #expect(refusal(inQuery)?.code == .invalidURL)
        var inHeaders = request()
        inHeaders.headers = [name: "v"]
        #expect(refusal(inHeaders)?.code == .invalidURL)
    }

    @Test("Parameters that are given twice are refused in the request for a presigned URL")
    func duplicates() {
        var request = request()
        request.query = [("versionId", "1"), ("versionId", "2")]
        #expect(refusal(request)?.code == .invalidURL)
        request.query = [("response-content-type", "a/b")]
        request.overrides.contentType = "a/b"
        #expect(refusal(request)?.code == .invalidURL)
    }

    @Test(
        "A presigned URL overrides response headers for GET and HEAD only",
        arguments: [HTTPRequest.Method.put, .delete]
    )
    func overrides(method: HTTPRequest.Method) throws {
        var request = request(method)
        request.overrides.contentType = "text/plain"
        #expect(refusal(request)?.code == .invalidURL)
        request.method = .head
        let made = try signer.presignedURL(request, with: credentials, at: now)
        #expect(made.url.contains("&response-content-type=text%2Fplain&"))
    }

    @Test("A presigned URL carries a file name that is not ASCII as a disposition")
    func disposition() throws {
        var request = request()
        request.overrides.contentDisposition = ContentDisposition.attachment(filename: "naïve.txt")
        let made = try signer.presignedURL(request, with: credentials, at: now)
        #expect(
            made.url.contains(
                "&response-content-disposition=attachment%3B%20filename%3D%22na_ve.txt%22%3B%20filename%2A%3D"
                    + "UTF-8%27%27na%25C3%25AFve.txt&"
            )
        )
        request.overrides.contentDisposition = "attachment\r\nX-Evil: 1"
        #expect(refusal(request)?.code == .invalidConfiguration)
    }

    @Test("A presigned URL says which headers must be sent")
    func headers() throws {
        var request = request(.put)
        request.headers = ["Content-Type": " text/plain ", "Content-Length": "7"]
        let made = try signer.presignedURL(request, with: credentials, at: now)
        #expect(made.headers == ["Content-Type": "text/plain", "Content-Length": "7"])
        #expect(made.url.contains("&X-Amz-SignedHeaders=content-length%3Bcontent-type%3Bhost&"))
        for name in ["Host", "host", "User-Agent", "Accept-Encoding", "Proxy-Connection"] {
            request.headers = [name: "v"]
            #expect(refusal(request)?.code == .invalidURL)
        }
        request.headers = ["x-amz-acl": "private\r\n"]
        #expect(refusal(request)?.code == .invalidConfiguration)
    }

    @Test(
        "A presigned URL is refused for POST and without a valid origin",
        arguments: ["h", "https://", "https://h/", "ftp://h", ""]
    )
    func origins(origin: String) {
        #expect(refusal(request(.post))?.code == .unsupported)
        var request = request()
        request.origin = origin
        #expect(refusal(request)?.code == .invalidURL)
    }

    @Test("The description of a presigned URL does not show its signature")
    func printing() throws {
        let made = try signer.presignedURL(request(), with: credentials, at: now)
        var dumped = ""
        dump(made, to: &dumped)
        for text in ["\(made)", String(reflecting: made), dumped] {
            #expect(text.contains("https://h/k, until 2014-05-13T16:54:20Z"))
            #expect(!text.contains(signature(in: made.url)))
        }
    }
}
