import NIOCore
import Testing

@testable import StoragesS3

@Suite("Writing XML")
struct XMLWriterTests {
    @Test("The body of DeleteObjects has line breaks as references")
    func deleteObjects() {
        let body = DeleteObjectsBody.make(for: [Array("a&b <c>.txt".utf8), Array("x\r\ny\"é".utf8)])
        #expect(
            String(buffer: body) == """
                <?xml version="1.0" encoding="UTF-8"?>
                <Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">\
                <Object><Key>a&amp;b &lt;c&gt;.txt</Key></Object><Object><Key>x&#xD;&#xA;y"é</Key></Object>\
                <Quiet>false</Quiet></Delete>
                """
        )
    }

    @Test("The body of CompleteMultipartUpload has the parts in the order of their numbers")
    func completeMultipartUpload() {
        let body = CompleteMultipartUploadBody.make(for: [
            CompletedPart(number: 10, entityTag: "\"b&\"", checksum: nil),
            CompletedPart(
                number: 2,
                entityTag: "\"a\"",
                checksum: ChecksumValue(algorithm: .crc32, base64: "y/Q5Jg==")
            ),
            CompletedPart(number: 3, entityTag: "\"m\"", checksum: ChecksumValue(algorithm: .md5, base64: "x")),
        ])
        #expect(
            String(buffer: body) == """
                <?xml version="1.0" encoding="UTF-8"?>
                <CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">\
                <Part><ChecksumCRC32>y/Q5Jg==</ChecksumCRC32><ETag>"a"</ETag><PartNumber>2</PartNumber></Part>\
                <Part><ETag>"m"</ETag><PartNumber>3</PartNumber></Part>\
                <Part><ETag>"b&amp;"</ETag><PartNumber>10</PartNumber></Part></CompleteMultipartUpload>
                """
        )
    }

    @Test("The body of DeleteObjects is read back to the same keys")
    func roundTrip() throws {
        let keys = ["a b", "<x>&\"'", "\r", "\n", "\r\n\t", "]]>", "&amp;", "&#xD;", "ሴ😀", " a "].map { Array($0.utf8) }
        #expect(keys.allSatisfy(DeleteObjectsBody.canHold))
        let root = try XMLReader.read(DeleteObjectsBody.make(for: keys))
        #expect(root.all("Object").map { $0.bytes("Key") } == keys)
    }

    @Test("Keys that XML cannot express are recognised")
    func inexpressible() {
        for key: [UInt8] in [[], [1], [0x61, 0], [0xFF], [0xEF, 0xBF, 0xBF], [0x1B]] {
            #expect(!DeleteObjectsBody.canHold(key))
        }
        #expect(DeleteObjectsBody.canHold([0x7F]))
    }
}
