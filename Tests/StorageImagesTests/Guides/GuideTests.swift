import Foundation
import Testing

/// The articles show code that the compiler has seen.
@Suite("The guides")
struct GuideTests {
    private let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../..").standardized

    @Test(arguments: ["StorageImages"])
    func everyBlockOfAnArticleIsCompiledBesideThisTest(article: String) throws {
        let text = try lines(of: "Sources/StorageImages/StorageImages.docc/\(article).md")
        let example = try lines(of: "Tests/StorageImagesTests/Guides/\(article)Example.swift")
        let blocks = blocks(in: text)
        #expect(!blocks.isEmpty)
        for block in blocks {
            let isCompiled = example.indices.contains { example[$0...].starts(with: block) }
            #expect(isCompiled, "\(article): \(block.joined(separator: "\n"))")
        }
    }

    /// The lines of a file of the package, without the whitespace that they begin with.
    private func lines(of path: String) throws -> [Substring] {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
            .split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.drop { $0.isWhitespace } }
    }

    private func blocks(in lines: [Substring]) -> [[Substring]] {
        var blocks: [[Substring]] = []
        var block: [Substring]?
        for line in lines {
            if line == "```swift" {
                block = []
            } else if line == "```", let ended = block {
                blocks.append(ended)
                block = nil
            } else {
                block?.append(line)
            }
        }
        return blocks
    }
}
