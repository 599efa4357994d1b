import NIOCore
import Testing

@testable import StoragesHTTP
@testable import StoragesS3

@Suite("Received bytes")
struct ReceivedBytesTests {
    @Test(
        "Received bytes are handed out in order, in chunks of at most 256 KiB",
        arguments: [1, 1000, 16_384, 100_000, 262_144]
    )
    func order(piece: Int) {
        var received = ReceivedBytes()
        var sent: [UInt8] = []
        var taken: [UInt8] = []
        func take() {
            guard let chunk = received.take() else { return }
            #expect((1...262_144).contains(chunk.readableBytes))
            taken += chunk.readableBytesView
        }
        for index in 0..<max(4, 1_000_000 / max(piece, 5000)) {
            let bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: index), count: piece)
            bytes.withUnsafeBytes { received.append($0) }
            sent += bytes
            #expect(received.byteCount == sent.count - taken.count)
            if index % 7 == 6 { take() }
        }
        while received.byteCount > 0 { take() }
        #expect(taken == sent)
        #expect(received.take() == nil)
    }
}
