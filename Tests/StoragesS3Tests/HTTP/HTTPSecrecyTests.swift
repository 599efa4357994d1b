import NIOCore
import Testing

@testable import StoragesHTTP
@testable import StoragesS3

@Suite("Secrets of HTTP messages")
struct HTTPSecrecyTests {
    private static let headers: HTTPHeaders = [
        "Host": "s3.example.org", "Content-Type": "text/plain", "Authorization": "AWS4-HMAC-SHA256 Signature=hush",
        "x-amz-security-token": "hush", "X-Amz-Server-Side-Encryption-Customer-Key": "hush", "x-amz-meta-a": "hush",
        "X-aws-ec2-metadata-token": "hush", "Location": "https://h/?hush",
    ]

    static func holders() -> [(String, Any)] {
        var request = HTTPRequest(
            method: .put,
            url: "https://user:hush@s3.example.org:9000/hush?X-Amz-Signature=hush",
            headers: headers
        )
        request.body = HTTPBody("hush hush")
        let signable = SignableRequest(
            method: "PUT",
            path: "/k",
            query: [("X-Amz-Security-Token", "hush")],
            headers: headers,
            payload: .unsigned
        )
        var operation = S3Operation("PutObject", .put, key: "k")
        operation.headers = headers
        operation.body = HTTPBody("hush hush")
        return [
            ("headers", headers), ("field", headers.fields[2]), ("fields", headers.fields), ("request", request),
            ("body", request.body), ("signable", signable), ("optional", Optional(request) as Any),
            ("operation", operation),
            ("answer", BufferedResponse(status: 200, headers: headers, body: ByteBuffer(string: "hush hush"))),
        ]
    }

    private static func texts(_ holder: Any) -> [String] {
        var dumped = ""
        dump(holder, to: &dumped)
        return [String(describing: holder), String(reflecting: holder), dumped]
    }

    @Test("No description or dump of an HTTP message shows a secret")
    func secrets() {
        for (name, holder) in Self.holders() {
            for text in Self.texts(holder) {
                #expect(!text.contains("hush"), "\(name): \(text)")
                // As the numbers and the digits of the bytes.
                #expect(!text.contains("104, 117, 115, 104") && !text.contains("68757368"), "\(name): \(text)")
                #expect(!text.contains("68 75 73 68"), "\(name): \(text)")
            }
        }
    }

    @Test("The description of an HTTP message shows what helps to find a mistake")
    func harmless() {
        #expect(
            HTTPHeaders(Array(Self.headers.fields.prefix(3))).description
                == "[Host: s3.example.org, Content-Type: text/plain, Authorization: …]"
        )
        let request = HTTPRequest(method: .get, url: "https://h:1/a?b", headers: ["Range": "bytes=0-1"])
        #expect("\(request)" == "HTTPRequest(GET https://h:1/… [Range: bytes=0-1] (0 bytes))")
        let signable = SignableRequest(
            method: "GET",
            path: "/k",
            query: [("list-type", "2"), ("prefix", "p")],
            headers: [:],
            payload: .empty
        )
        #expect("\(signable)" == "SignableRequest(GET /k?list-type=…&prefix=… [] empty)")
    }
}
