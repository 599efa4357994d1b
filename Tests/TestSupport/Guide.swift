package import Foundation

/// An article of the documentation, and the code that it shows.
package struct Guide {
    /// The folder of the package.
    package static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardized

    /// The lines of each block of Swift, without the whitespace that they begin with.
    package let blocks: [[Substring]]
    private let example: String

    /// Reads an article.
    ///
    /// - Parameters:
    ///   - name: The name of the article.
    ///   - module: The module that it documents.
    package init(_ name: String, of module: String) throws {
        var blocks: [[Substring]] = []
        var block: [Substring]?
        for line in try Self.lines(of: "Sources/\(module)/\(module).docc/\(name).md") {
            if line == "```swift" {
                block = []
            } else if line == "```", let ended = block {
                blocks.append(ended)
                block = nil
            } else {
                block?.append(line)
            }
        }
        self.blocks = blocks
        example = "Tests/\(module)Tests/Guides/\(name)Example.swift"
    }

    /// Returns the blocks that are not in the example that the tests of the module compile.
    package func blocksNotCompiled() throws -> [String] {
        let lines = try Self.lines(of: example)
        return blocks.filter { block in !lines.indices.contains { lines[$0...].starts(with: block) } }
            .map { $0.joined(separator: "\n") }
    }

    private static func lines(of path: String) throws -> [Substring] {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
            .split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.drop { $0.isWhitespace } }
    }
}
