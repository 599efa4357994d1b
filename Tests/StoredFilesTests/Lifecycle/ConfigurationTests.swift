import StoredFiles
import StoredFilesTesting
import Testing

/// A configuration with one bad value, and the property that the error must name.
private struct BadValue<Configuration: Sendable>: Sendable, CustomTestStringConvertible {
    let property: String
    let expected: String
    let set: @Sendable (inout Configuration) -> Void

    init(_ property: String, _ expected: String, _ set: @escaping @Sendable (inout Configuration) -> Void) {
        self.property = property
        self.expected = expected
        self.set = set
    }

    var testDescription: String { property }
}

@Suite("Configurations")
struct ConfigurationTests {
    private static let tooLong = Duration.seconds(101 * 366 * 86_400)

    private static let reaper: [BadValue<ReaperConfiguration>] = [
        BadValue("retention", "0 seconds to 100 years") { $0.retention = .seconds(-1) },
        BadValue("retention", "0 seconds to 100 years") { $0.retention = tooLong },
        BadValue("tombstoneAge", "0 seconds to 100 years") { $0.tombstoneAge = .milliseconds(-1) },
        BadValue("tombstoneAge", "0 seconds to 100 years") { $0.tombstoneAge = tooLong },
        BadValue("interval", "10 milliseconds to 100 years") { $0.interval = .milliseconds(9) },
        BadValue("interval", "10 milliseconds to 100 years") { $0.interval = tooLong },
        BadValue("batchSize", "1 to 1000") { $0.batchSize = 0 },
        BadValue("batchSize", "1 to 1000") { $0.batchSize = 1001 },
        BadValue("concurrency", "1 or more") { $0.concurrency = 0 },
        BadValue("lease", "100 milliseconds to 100 years") { $0.lease = .milliseconds(99) },
        BadValue("lease", "100 milliseconds to 100 years") { $0.lease = tooLong },
        BadValue("backoff", "1 millisecond to 100 years") { $0.backoff = .zero },
        BadValue("backoff", "1 millisecond to 100 years") { $0.backoff = tooLong },
    ]

    private static let fsck: [BadValue<FsckConfiguration>] = [
        BadValue("minimumAge", "0 seconds to 100 years") { $0.minimumAge = .seconds(-1) },
        BadValue("minimumAge", "0 seconds to 100 years") { $0.minimumAge = tooLong },
        BadValue("orphanLimit", "0 or more") { $0.orphanLimit = -1 },
        BadValue("objectsPerSecond", "1 or more, or nil for no limit") { $0.objectsPerSecond = 0 },
    ]

    private static let lifecycle: [BadValue<LifecycleConfiguration>] = [
        BadValue("claimPeriod", "100 milliseconds to 100 years") { $0.claimPeriod = .milliseconds(99) },
        BadValue("claimPeriod", "100 milliseconds to 100 years") { $0.claimPeriod = tooLong },
    ]

    /// Expects that the error of some work names a property, its range, and the remedy.
    private func expectRefusal(_ property: String, _ expected: String, _ work: () async throws -> Void) async {
        let error = await #expect(throws: StorageError.self) { try await work() }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.message.hasPrefix("\(property) cannot be ") == true, "\(String(describing: error))")
        #expect(error?.message.hasSuffix(". Give \(expected).") == true, "\(String(describing: error))")
    }

    @Test("A reaper refuses values out of range, also when it is run only once")
    func reaperValues() async throws {
        try await TestApplication.run { app in
            for bad in Self.reaper {
                var configuration = ReaperConfiguration()
                bad.set(&configuration)
                let refused = configuration
                await expectRefusal("ReaperConfiguration.\(bad.property)", bad.expected) {
                    try await app.database.reap(refused)
                }
                await expectRefusal("ReaperConfiguration.\(bad.property)", bad.expected) {
                    try await Reaper(app.database, configuration: refused).run()
                }
            }
        }
    }

    @Test("A comparison of a storage with the rows refuses values out of range")
    func fsckValues() async throws {
        try await TestApplication.run { app in
            for bad in Self.fsck {
                var configuration = FsckConfiguration()
                bad.set(&configuration)
                let refused = configuration
                await expectRefusal("FsckConfiguration.\(bad.property)", bad.expected) {
                    try await app.database.fsck(.papers, refused) { _ in }
                }
            }
        }
    }

    @Test("A database is not opened with a claim period out of range")
    func lifecycleValues() async throws {
        let url = try await TemporaryPostgres.shared().makeDatabase()
        for bad in Self.lifecycle {
            var configuration = LifecycleConfiguration()
            bad.set(&configuration)
            let refused = configuration
            await expectRefusal("LifecycleConfiguration.\(bad.property)", bad.expected) {
                try await Database.connect(
                    url,
                    storages: StorageRegistry([.papers: MemoryStorage(), .pictures: MemoryStorage()]),
                    lifecycle: refused
                ).close()
            }
        }
    }

    @Test("The values at the ends of the ranges are accepted")
    func limits() async throws {
        let century = Duration.seconds(100 * 366 * 86_400)
        try await TestApplication.run(lifecycle: LifecycleConfiguration(claimPeriod: century)) { app in
            for configuration in [
                ReaperConfiguration(
                    retention: .zero,
                    tombstoneAge: .zero,
                    interval: .milliseconds(10),
                    batchSize: 1,
                    concurrency: 1,
                    lease: .milliseconds(100),
                    backoff: .milliseconds(1)
                ),
                ReaperConfiguration(
                    retention: century,
                    tombstoneAge: century,
                    interval: century,
                    batchSize: 1000,
                    concurrency: 16,
                    lease: century,
                    backoff: century
                ),
            ] {
                try await app.insertPapers(["of \(configuration.batchSize)"])
                try await app.database.execute("DELETE FROM albums")
                // The files of other tests' transactions may have to wait: nothing has to be deleted here.
                try await app.database.reap(configuration, waitLimit: .zero)
            }
            let configuration = FsckConfiguration(minimumAge: .zero, orphanLimit: 0, objectsPerSecond: 1)
            try await app.database.fsck(.papers, configuration) { _ in }
            try await app.database.fsck(.papers, FsckConfiguration(minimumAge: century)) { _ in }
        }
    }
}
