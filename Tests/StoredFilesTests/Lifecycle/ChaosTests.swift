import StoredFilesTesting
import Testing

/// Many processes, their server, storage and tables fail at the same time for minutes; files and rows fit all the same.
///
/// `CHAOS_SECONDS=… CHAOS_SEED=… swift test --filter ChaosTests` makes it longer and repeats a run's decisions.
@Suite("Chaos", .serialized, .timeLimit(.minutes(30)), .disabled(if: Sanitizer.isOn, "it runs for minutes as it is"))
struct ChaosTests {
    @Test("Processes, servers, storages and tables that fail at random lose and leak no files")
    func chaos() async throws {
        let run = try await Self.run([:])
        print(run.output)
        #expect(run.status == 0, "\(run.output)")
        #expect(run.output.contains("all files and rows fit"))
    }

    /// The other faults need luck or more time: `CHAOS_SABOTAGE=claim CHAOS_SECONDS=600`.
    @Test("The chaos test finds a fault that is put into the database")
    func sabotage() async throws {
        let run = try await Self.run(["CHAOS_SABOTAGE": "trigger", "CHAOS_SECONDS": "90"])
        #expect(run.status == 1, "\(run.output)")
        #expect(run.output.contains("orphan:"), "\(run.output)")
    }

    private static func run(_ environment: [String: String]) async throws -> (status: Int32, output: String) {
        try await TestProgram.run(TestProgram.path(of: "LifecycleChaos"), environment: environment)
    }
}
