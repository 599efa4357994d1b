import Foundation
import Storages
import Testing

@testable import StoragesHTTP
@testable import StoragesS3

/// The examples in the documentation of S3.
@Suite("Signatures in the documentation of S3")
struct DocumentationVectorsTests {
    private let credentials = S3Credentials(
        accessKeyID: "AKIAIOSFODNN7EXAMPLE",
        secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    )
    private let signer = SigV4Signer(region: "us-east-1")
    private let host = "examplebucket.s3.amazonaws.com"

    private func path(of key: String) throws -> String {
        try Addressing(AddressingOptions(bucket: "examplebucket", region: .usEast1, scheme: .https)).path(forKey: key)
    }

    private func authorization(_ request: SignableRequest, by signer: SigV4Signer? = nil) throws -> String {
        let headers = try (signer ?? self.signer)
            .headers(signing: request, with: credentials, at: date("20130524T000000Z"))
        #expect(headers["x-amz-date"] == "20130524T000000Z")
        return try #require(headers["Authorization"])
    }

    @Test("A GET with a range has the documented Authorization header")
    func getRange() throws {
        let request = SignableRequest(
            method: "GET",
            path: try path(of: "test.txt"),
            query: [],
            headers: ["Host": host, "Range": "bytes=0-9"],
            payload: .empty
        )
        #expect(
            try authorization(request)
                == "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
                + "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
                + "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
        )
    }

    @Test("A PUT has the documented signature")
    func put() throws {
        let request = SignableRequest(
            method: "PUT",
            path: try path(of: "test$file.text"),
            query: [],
            headers: [
                "Host": host, "Date": "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY",
            ],
            payload: .sha256(try SHA256Hasher.hash("Welcome to Amazon S3.").hexadecimal)
        )
        #expect(
            signature(in: try authorization(request))
                == "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"
        )
    }

    @Test(
        "A GET with a query has the documented signature",
        arguments: [
            ([["lifecycle", ""]], "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
            (
                [["prefix", "J"], ["max-keys", "2"]],
                "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
            ),
        ]
    )
    func query(_ query: [[String]], expected: String) throws {
        let request = SignableRequest(
            method: "GET",
            path: "/",
            query: parameters(query),
            headers: ["Host": host],
            payload: .empty
        )
        #expect(signature(in: try authorization(request)) == expected)
    }

    @Test("A presigned URL is the same as the documented one")
    func presigned() throws {
        let made = try signer.presignedURL(
            PresignedURL.Request(
                method: .get,
                origin: "https://\(host)",
                path: "/test.txt",
                lifetime: .seconds(86_400)
            ),
            with: credentials,
            at: date("20130524T000000Z")
        )
        #expect(
            made.url
                == "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential="
                + "AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&"
                + "X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature="
                + "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
        )
        #expect(try made.expiration == date("20130525T000000Z"))
    }

    @Test("The head of a body that is signed in chunks has the documented signature")
    func chunks() throws {
        var options = SigV4Signer.Options()
        options.signsContentLength = true
        let signer = SigV4Signer(region: "us-east-1", options: options)
        let seed = try authorization(chunked("", ["Content-Length": "66824"]), by: signer)
        #expect(signature(in: seed) == "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9")
    }

    @Test("The head of a chunked body with a trailing checksum has the documented signature")
    func trailer() throws {
        let seed = try authorization(chunked("-TRAILER", ["x-amz-trailer": "x-amz-checksum-crc32c"]))
        #expect(signature(in: seed) == "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e")
    }

    private func chunked(_ suffix: String, _ more: HTTPHeaders) -> SignableRequest {
        SignableRequest(
            method: "PUT",
            path: "/examplebucket/chunkObject.txt",
            query: [],
            headers: HTTPHeaders(
                [
                    HTTPHeaders.Field(name: "Host", value: "s3.amazonaws.com"),
                    HTTPHeaders.Field(name: "x-amz-storage-class", value: "REDUCED_REDUNDANCY"),
                    HTTPHeaders.Field(name: "Content-Encoding", value: "aws-chunked"),
                    HTTPHeaders.Field(name: "x-amz-decoded-content-length", value: "66560"),
                ] + more.fields
            ),
            // Such a body's hash is a word in the place of digits.
            payload: .sha256("STREAMING-AWS4-HMAC-SHA256-PAYLOAD" + suffix)
        )
    }

    @Test("The policy of a form has the documented signature")
    func policy() throws {
        let lines = [
            #"{ "expiration": "2015-12-30T12:00:00.000Z","#,
            #"  "conditions": ["#,
            #"    {"bucket": "sigv4examplebucket"},"#,
            #"    ["starts-with", "$key", "user/user1/"],"#,
            #"    {"acl": "public-read"},"#,
            #"    {"success_action_redirect": "http://sigv4examplebucket.s3.amazonaws.com/successful_upload.html"},"#,
            #"    ["starts-with", "$Content-Type", "image/"],"#,
            #"    {"x-amz-meta-uuid": "14365123651274"},"#,
            #"    {"x-amz-server-side-encryption": "AES256"},"#,
            #"    ["starts-with", "$x-amz-meta-tag", ""],"#,
            "",
            #"    {"x-amz-credential": "AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request"},"#,
            #"    {"x-amz-algorithm": "AWS4-HMAC-SHA256"},"#,
            #"    {"x-amz-date": "20151229T000000Z" }"#,
            "  ]",
            "}",
        ]
        let encoded = Data(lines.joined(separator: "\r\n").utf8).base64EncodedString()
        let scope = SigV4Signer.Scope(AmazonDate(try date("20151229T000000Z")), signer)
        #expect(
            try signer.signature(ofPolicy: encoded, scope: scope, credentials)
                == "8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e"
        )
    }
}
