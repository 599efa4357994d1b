import Foundation
import StorageImages

/// The images of the `Fixtures` folder, and the two ways to give them to a parser.
enum HeaderFixture {
    static let folder = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Fixtures")

    static func bytes(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: folder.appending(path: name)))
    }

    /// All images of the folder, sorted, so that a seed means the same everywhere.
    static func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path)
            .filter { !$0.hasSuffix(".py") && !$0.hasSuffix(".md") && !$0.hasPrefix(".") && $0.contains(".") }
            .sorted()
    }

    /// The result of a parser for a file, in one line, with what it cost.
    struct Outcome: Equatable {
        var header: ImageHeader?
        var code: ImageError.Code?
        var requests = 0

        /// The same as text: `jpeg 311x207 right 207x311`, or the code of the error.
        var summary: String {
            guard let header else { return code.map(\.description) ?? "nothing" }
            var text = "\(header.format) \(header.codedSize) \(header.orientation) \(header.displaySize)"
            if header.isAnimated { text += " animated" }
            return text
        }
    }

    /// Reads windows at the offsets that the parser asks for, as from a file or an object store.
    static func ranged(_ bytes: [UInt8], window: Int = ImageHeaderParser.windowSize) -> Outcome {
        var parser = ImageHeaderParser()
        var outcome = Outcome()
        var offset = 0
        var length = window
        do throws(ImageError) {
            while true {
                outcome.requests += 1
                let start = min(offset, bytes.count)
                let end = min(start + max(length, window), bytes.count)
                let step = try parser.parse(
                    Array(bytes[start..<end]),
                    at: Int64(start),
                    totalSize: Int64(bytes.count)
                )
                switch step {
                case .header(let header):
                    outcome.header = header
                    return outcome
                case .needsMore(let next, let count):
                    (offset, length) = (Int(next), count)
                }
            }
        } catch {
            outcome.code = error.code
            return outcome
        }
    }

    /// Hands over chunks in order, as an upload does, without telling the size beforehand.
    static func streamed(_ bytes: [UInt8], chunk: Int) -> Outcome {
        var parser = ImageHeaderParser()
        var outcome = Outcome()
        do throws(ImageError) {
            var offset = 0
            while offset < bytes.count {
                let end = min(offset + chunk, bytes.count)
                let step = try parser.parse(Array(bytes[offset..<end]), at: Int64(offset), totalSize: nil)
                if case .header(let header) = step {
                    outcome.header = header
                    return outcome
                }
                offset = end
            }
            outcome.header = try parser.finish(totalSize: Int64(bytes.count))
        } catch {
            outcome.code = error.code
        }
        return outcome
    }
}

/// A small seeded generator (SplitMix64), so that a failure can be repeated.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
