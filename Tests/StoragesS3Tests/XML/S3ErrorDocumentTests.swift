import Foundation
import NIOCore
import Testing

@testable import StoragesS3

@Suite("Error documents")
struct S3ErrorDocumentTests {
    @Test("An error document keeps what helps and nothing that could help to forge a signature")
    func fields() {
        let document = S3ErrorDocument(
            ByteBuffer(
                string: """
                    <?xml version="1.0" encoding="UTF-8"?>
                    <Error><Code>RequestTimeTooSkewed</Code><Message>The difference is
                    too large.</Message><RequestId>4442587FB7D0A2F9</RequestId><HostId>ab+c/d=</HostId>
                    <Region>eu-west-1</Region><Endpoint>b.s3-eu-west-1.amazonaws.com</Endpoint>
                    <ServerTime>2013-05-24T00:15:00.5Z</ServerTime><BucketName>b</BucketName><Key>a/b</Key>
                    <Condition>If-None-Match</Condition><StringToSign>SECRET</StringToSign></Error>
                    """
            )
        )
        #expect(document.code == .requestTimeTooSkewed)
        #expect(document.message == "The difference is too large.")
        #expect(document.requestID == "4442587FB7D0A2F9")
        #expect(document.hostID == "ab+c/d=")
        #expect(document.region == "eu-west-1")
        #expect(document.endpoint == "b.s3-eu-west-1.amazonaws.com")
        #expect(document.serverTime == Date(timeIntervalSince1970: 1_369_354_500.5))
        #expect(document.description == "RequestTimeTooSkewed: The difference is too large.")
        var dumped = ""
        dump(document, to: &dumped)
        #expect(!dumped.contains("SECRET"))
    }

    @Test("An error document of STS is found in its wrapper")
    func securityTokenService() {
        let document = S3ErrorDocument(
            ByteBuffer(
                string: "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>"
                    + "<Code>IDPCommunicationError</Code><Message>m</Message></Error><RequestId>r</RequestId></ErrorResponse>"
            )
        )
        #expect(document.code?.rawValue == "IDPCommunicationError")
        #expect(document.requestID == "r")
    }

    @Test(
        "A body that is no error document says nothing and never fails",
        arguments: [
            "", " ", "<html><body><h1>502 Bad Gateway</h1><hr></body></html>", "<!DOCTYPE html><html></html>",
            "{\"code\": \"NoSuchKey\"}", "NoSuchKey", "<Errors><Code>x</Code></Errors>", "<Error",
            "<Error><Code>No such key</Code></Error>",
            "<Error><Code>a\u{202E}b</Code></Error>", "\u{0}\u{1}",
        ]
    )
    func others(text: String) {
        #expect(S3ErrorDocument(ByteBuffer(string: text)) == S3ErrorDocument())
    }

    @Test("An error document that is cut, not UTF-8 or too large still gives its code")
    func damaged() {
        #expect(S3ErrorDocument(ByteBuffer(string: "<Error><Code>SlowDown</Code><Mess")).code == .slowDown)
        let invalid = Array("<Error><Code>SlowDown</Code><Message>".utf8) + [0xFF] + Array("</Message></Error>".utf8)
        #expect(S3ErrorDocument(ByteBuffer(bytes: invalid)).message == "\u{FFFD}")
        let large = "<Error><Code>SlowDown</Code><Message>" + String(repeating: "x", count: 10_000_000)
        let document = S3ErrorDocument(ByteBuffer(string: large))
        #expect(document.code == .slowDown)
        #expect(document.message == nil)
    }

    @Test("The message of an error document cannot forge lines of a log")
    func forgery() {
        let text =
            "<Error><Code>A</Code><Message>one\r\ntwo&#x202E;\u{1B}[31m\(String(repeating: "é", count: 2000))</Message></Error>"
        let message = S3ErrorDocument(ByteBuffer(string: text)).message
        #expect(message?.hasPrefix("one  two  [31m") == true)
        #expect(message?.unicodeScalars.count == 501)
    }
}
