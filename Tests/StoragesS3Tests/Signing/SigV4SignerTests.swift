import Foundation
import Storages
import Testing

@testable import StoragesHTTP
@testable import StoragesS3

@Suite("Signatures in headers")
struct SigV4SignerTests {
    struct Case: Decodable, Sendable, CaseWithCredentials {
        var method: String
        var path: String
        var query: [[String]]
        var headers: [[String]]
        /// `nil` when it is not signed.
        var body: String?
        var region: String
        var date: String
        var accessKey: String
        var secretKey: String
        var token: String?
        var authorization: String

        func request() throws -> SignableRequest {
            let payload: PayloadHash =
                switch body {
                case nil: .unsigned
                case ""?: .empty
                case let body?: .sha256(try SHA256Hasher.hash(body).hexadecimal)
                }
            return SignableRequest(
                method: method,
                path: path,
                query: parameters(query),
                headers: HTTPHeaders(fields(headers)),
                payload: payload
            )
        }
    }

    @Test("Signed headers agree with botocore on 240 random requests")
    func recorded() throws {
        let cases = try RecordedCases.load("requests.json", as: [Case].self)
        #expect(cases.count == 240)
        for (index, example) in cases.enumerated() {
            let headers = try SigV4Signer(region: example.region)
                .headers(signing: example.request(), with: example.credentials, at: date(example.date))
            #expect(headers["Authorization"] == example.authorization, "case \(index)")
            #expect(headers["x-amz-security-token"] == example.token, "case \(index)")
            #expect(headers["x-amz-content-sha256"]?.isEmpty == false)
        }
    }

    private let credentials = S3Credentials(
        accessKeyID: "AKIAEXAMPLE",
        secretAccessKey: "secret",
        sessionToken: "token"
    )
    private let signer = SigV4Signer(region: "us-east-1")
    private let now = Date(timeIntervalSince1970: 1_400_000_000)

    private func request(_ headers: HTTPHeaders = [:]) -> SignableRequest {
        let host = HTTPHeaders.Field(name: "Host", value: "h")
        return SignableRequest(
            method: "GET",
            path: "/k",
            query: [],
            headers: HTTPHeaders([host] + headers.fields),
            payload: .empty
        )
    }

    private func signedNames(_ headers: HTTPHeaders) throws -> String {
        let made = try signer.headers(signing: request(headers), with: credentials, at: now)
        let part = try #require(made["Authorization"]?.split(separator: ", ").first { $0.hasPrefix("SignedHeaders=") })
        return String(part.dropFirst("SignedHeaders=".count))
    }

    @Test("The signer returns the headers to add in a fixed order")
    func added() throws {
        let made = try signer.headers(signing: request(), with: credentials, at: now)
        #expect(
            made.fields.map(\.name) == ["x-amz-date", "x-amz-content-sha256", "x-amz-security-token", "Authorization"]
        )
        #expect(made["x-amz-date"] == "20140513T165320Z")
        #expect(made["x-amz-content-sha256"] == SigV4Signer.emptyHash)
    }

    @Test(
        "Headers that change on the way are not signed",
        arguments: [
            "Authorization", "User-Agent", "Connection", "Keep-Alive", "Expect", "TE", "Trailer", "Transfer-Encoding",
            "Upgrade", "Proxy-Authorization", "proxy-connection", "X-Amzn-Trace-Id", "Accept-Encoding",
            "Content-Length",
        ]
    )
    func unsigned(name: String) throws {
        #expect(try signedNames([name: "v"]) == "host;x-amz-content-sha256;x-amz-date;x-amz-security-token")
    }

    @Test(
        "Headers that do not change on the way are signed",
        arguments: [
            "Content-Type", "Content-MD5", "Range", "If-Match", "If-None-Match", "X-AMZ-ACL", "x-amz-meta-a", "Expires",
            "Proxyless", "Accept",
        ]
    )
    func signed(name: String) throws {
        #expect(try signedNames([name: "v"]).split(separator: ";").contains { $0 == name.lowercased() })
    }

    @Test("Headers that an earlier attempt has added are not signed again")
    func again() throws {
        let first = try signer.headers(signing: request(), with: credentials, at: now)
        let second = try signer.headers(signing: request(first), with: credentials, at: now)
        #expect(first == second)
        let later = now.addingTimeInterval(60)
        let third = try signer.headers(signing: request(first), with: credentials, at: later)
        #expect(third == (try signer.headers(signing: request(), with: credentials, at: later)))
        #expect(third != first)
    }

    @Test("The signature changes with every part of a request", arguments: 0..<9)
    func parts(index: Int) throws {
        var request = request()
        var credentials = credentials
        var signer = signer
        var now = now
        let before = try signer.headers(signing: request, with: credentials, at: now)["Authorization"]
        switch index {
        case 0: request.method = "PUT"
        case 1: request.path = "/l"
        case 2: request.query = [("a", "")]
        case 3: request.headers["Host"] = "i"
        case 4: request.payload = .unsigned
        case 5: credentials.secretAccessKey = "Secret"
        case 6: credentials.sessionToken = "Token"
        case 7: signer = SigV4Signer(region: "us-east-2")
        default: now.addTimeInterval(86_400)
        }
        let after = try signer.headers(signing: request, with: credentials, at: now)["Authorization"]
        #expect(signature(in: before) != signature(in: after))
    }

    @Test("Query parameters are sorted by name before value, and by encoded bytes")
    func query() {
        #expect(
            CanonicalQuery([
                ("select-type", "1"), ("select", "2"), ("ü", "a b"), ("a/b", "+"), ("Z", "2"), ("Z", "10"),
            ]).text
                == "%C3%BC=a%20b&Z=10&Z=2&a%2Fb=%2B&select=2&select-type=1"
        )
        #expect(CanonicalQuery([("uploads", "")]).text == "uploads=")
        #expect(CanonicalQuery([]).text == "")
    }

    @Test(
        "Keys are percent-encoded once, in upper case and without normalisation",
        arguments: [
            ("a b", "/a%20b"), ("a+b", "/a%2Bb"), ("p%q", "/p%25q"), ("c/./d", "/c/./d"), ("e/../f", "/e/../f"),
            ("//g", "///g"), ("h//i", "/h//i"), ("j/", "/j/"), ("ሴ", "/%E1%88%B4"), ("q?r", "/q%3Fr"),
            ("x&y=z", "/x%26y%3Dz"), ("a\nb", "/a%0Ab"), ("<x>&\"", "/%3Cx%3E%26%22"), ("-._~", "/-._~"), ("", "/"),
            ("😀", "/%F0%9F%98%80"),
        ]
    )
    func path(key: String, expected: String) throws {
        var options = AddressingOptions(bucket: "b-c", region: .usEast1, scheme: .https)
        #expect(try Addressing(options).path(forKey: key) == expected)
        options.style = .path
        #expect(try Addressing(options).path(forKey: key) == "/b-c" + expected)
    }

    @Test(
        "The signer refuses text that would become another header",
        arguments: ["\r", "\n", "\r\nX-Evil: 1", "\0", "\t", "\u{1F}", "\u{7F}"]
    )
    func injection(text: String) {
        func expectRefusal(_ credentials: S3Credentials, _ headers: HTTPHeaders, region: String = "us-east-1") {
            let error = #expect(throws: StorageError.self) {
                try SigV4Signer(region: region).headers(signing: request(headers), with: credentials, at: now)
            }
            #expect(error?.code == .invalidConfiguration)
            #expect(error?.message.contains("before") == false)
        }
        let bad = "before" + text + "after"
        expectRefusal(credentials, ["x-amz-meta-a": bad])
        expectRefusal(credentials, ["x-amz-copy-source": bad])
        expectRefusal(credentials, ["x-amz-\(text)meta": "v"])
        expectRefusal(S3Credentials(accessKeyID: bad, secretAccessKey: "s"), [:])
        expectRefusal(S3Credentials(accessKeyID: "a", secretAccessKey: "s", sessionToken: bad), [:])
        expectRefusal(credentials, [:], region: bad)
    }

    @Test("A token with a line break is refused even if it is added after signing")
    func injectionAfterSigning() {
        var options = SigV4Signer.Options()
        options.addsTokenAfterSigning = true
        let signer = SigV4Signer(region: "us-east-1", options: options)
        #expect(throws: StorageError.self) {
            try signer.headers(
                signing: request(),
                with: S3Credentials(accessKeyID: "a", secretAccessKey: "s", sessionToken: "t\n"),
                at: now
            )
        }
    }

    @Test("Signing keys are derived correctly for many dates by many tasks")
    func keys() async throws {
        let expected = try (0..<40).map { index in
            try signer.headers(
                signing: request(),
                with: credentials,
                at: now.addingTimeInterval(Double(index) * 86_400)
            )
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                group.addTask {
                    for step in 0..<200 {
                        let index = (step * 7 + task * 11) % 40
                        let date = now.addingTimeInterval(Double(index) * 86_400)
                        let made = try signer.headers(signing: request(), with: credentials, at: date)
                        #expect(made == expected[index])
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(Set(expected.compactMap { $0["Authorization"] }).count == 40)
    }

    @Test("The description of a signing key does not show it")
    func printing() throws {
        let key = try SigningKey(secret: "secret", day: "20140513", region: "us-east-1", service: "s3")
        var dumped = ""
        dump(key, to: &dumped)
        for text in ["\(key)", String(reflecting: key), dumped] {
            #expect(text.contains("SigningKey(…)"))
            #expect(!text.contains("[") && !text.contains("bytes"))
        }
    }
}
