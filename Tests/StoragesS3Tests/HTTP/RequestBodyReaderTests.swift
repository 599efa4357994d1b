import NIOCore
import Testing

@testable import StoragesHTTP
@testable import StoragesS3

@Suite("Reading a request's body")
struct RequestBodyReaderTests {
    private static let sizes = [1, 3, 100, 7]
    private static let body: (body: HTTPBody, bytes: [UInt8]) = {
        var body = HTTPBody()
        var all: [UInt8] = []
        for size in sizes {
            let bytes = (0..<size).map { UInt8(($0 + all.count) & 0xFF) }
            body.append(ByteBuffer(bytes: bytes))
            body.append(ByteBuffer())
            all += bytes
        }
        return (body, all)
    }()

    /// Reads to the end in pieces of at most so many bytes.
    private func read(_ reader: inout RequestBodyReader, by count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        while true {
            var piece = [UInt8](repeating: 0, count: count)
            let read = piece.withUnsafeMutableBytes { reader.read(into: $0) }
            #expect(read <= count)
            if read == 0 { return bytes }
            bytes += piece.prefix(read)
        }
    }

    @Test("A request body is read in pieces of any size", arguments: [1, 2, 3, 4, 50, 111, 1000])
    func pieces(count: Int) {
        var reader = RequestBodyReader(Self.body.body)
        #expect(read(&reader, by: count) == Self.body.bytes)
        // libcurl may ask again after the end.
        #expect(read(&reader, by: count).isEmpty)
    }

    @Test("Reading of a request body continues at any position", arguments: 0...111)
    func seek(position: Int) {
        var reader = RequestBodyReader(Self.body.body)
        _ = read(&reader, by: 10)
        let isThere = reader.seek(to: position)
        #expect(isThere)
        #expect(read(&reader, by: 16) == Array(Self.body.bytes[position...]))
    }

    @Test("Seeking outside of a request body fails and does not move the reader", arguments: [-1, 112, Int.max])
    func outside(position: Int) {
        var reader = RequestBodyReader(Self.body.body)
        let isThere = reader.seek(to: position)
        #expect(!isThere)
        #expect(read(&reader, by: 16) == Self.body.bytes)
    }

    @Test("An empty request body is at its end")
    func empty() {
        var reader = RequestBodyReader(HTTPBody(ByteBuffer()))
        #expect(read(&reader, by: 16).isEmpty)
        let places = [reader.seek(to: 0), reader.seek(to: 1)]
        #expect(places == [true, false])
    }

    @Test("A request body begins at the reader index of its buffer")
    func slices() {
        var buffer = ByteBuffer(string: "0123456789")
        buffer.moveReaderIndex(forwardBy: 4)
        var reader = RequestBodyReader(HTTPBody(buffer))
        #expect(read(&reader, by: 4) == Array("456789".utf8))
    }
}
