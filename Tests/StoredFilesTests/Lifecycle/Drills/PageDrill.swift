import Foundation
import Testing

extension Drills {
    /// The page itself.
    @Suite("Commands of BACKUPS.md")
    struct Page {
        @Test("Every command of BACKUPS.md is run by a drill")
        func commands() throws {
            let folder = URL(filePath: #filePath).deletingLastPathComponent()
            let sources = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
                .map { try String(contentsOf: $0, encoding: .utf8) }.joined()
            let blocks = try DrillSite.blocks()
            #expect(blocks.count >= 15)
            for block in blocks {
                let mark = try #require(block.mark, "no mark above \(block.commands)")
                #expect(sources.contains("\"\(mark)\","), "no drill types \(mark)")
            }
        }
    }
}
