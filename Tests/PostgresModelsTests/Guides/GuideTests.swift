import TestSupport
import Testing

@Suite("The guides of PostgresModels")
struct GuideTests {
    @Test(
        "Each code block of a PostgresModels guide is compiled in the example beside this test",
        arguments: ["PostgresModels", "Connecting", "Models", "Querying", "Transactions", "Notifications"]
    )
    func showsCompiledCode(article: String) throws {
        let guide = try Guide(article, of: "PostgresModels")
        #expect(!guide.blocks.isEmpty)
        #expect(try guide.blocksNotCompiled() == [])
    }
}
