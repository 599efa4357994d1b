import TestSupport
import Testing

@Suite("The guides of StorageImages")
struct GuideTests {
    @Test(
        "Each code block of a StorageImages guide is compiled in the example beside this test",
        arguments: ["StorageImages"]
    )
    func showsCompiledCode(article: String) throws {
        let guide = try Guide(article, of: "StorageImages")
        #expect(!guide.blocks.isEmpty)
        #expect(try guide.blocksNotCompiled() == [])
    }
}
