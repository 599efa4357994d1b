import Platform
import Storages
import TestSupport
import Testing

@testable import StoragesS3

@Suite("Checks of S3 options")
struct OptionCheckTests {
    private typealias Change = (inout S3Options) -> Void

    private static let endless = Duration.seconds(Int64.max)
    private static let day = Duration.seconds(86_400)

    private func error(_ change: Change) async -> StorageError? {
        await storageError { try ScriptedBucket.setup(endpoint: "s3.example.org", change).parts() as Any }
    }

    @Test("An S3 option out of range is refused by name when the storage is made")
    func refusals() async {
        let changes: [(String, Change)] = [
            ("connectTimeout", { $0.connectTimeout = Self.endless }), ("connectTimeout", { $0.connectTimeout = .zero }),
            ("connectTimeout", { $0.connectTimeout = .seconds(-1) }),
            ("connectTimeout", { $0.connectTimeout = .microseconds(999) }),
            ("connectTimeout", { $0.connectTimeout = Self.day + .nanoseconds(1) }),
            ("stallTimeout", { $0.stallTimeout = Self.endless }), ("stallTimeout", { $0.stallTimeout = .zero }),
            ("idleConnectionAge", { $0.idleConnectionAge = Self.endless }),
            ("idleConnectionAge", { $0.idleConnectionAge = .zero }),
            ("transfers.rangeSize", { $0.transfers.rangeSize = (1 << 20) - 1 }),
            ("transfers.rangeSize", { $0.transfers.rangeSize = (1 << 30) + 1 }),
            ("transfers.rangeSize", { $0.transfers.rangeSize = .max }),
            ("retries.baseDelay", { $0.retries.baseDelay = Self.endless }),
            ("retries.throttledBaseDelay", { $0.retries.throttledBaseDelay = .seconds(-1) }),
            ("retries.maxDelay", { $0.retries.maxDelay = Self.endless }),
            ("urlLifetime", { $0.urlLifetime = .milliseconds(999) }),
            ("urlLifetime", { $0.urlLifetime = Self.day * 7 + .nanoseconds(1) }),
            ("urlQuantum", { $0.urlQuantum = .zero }), ("urlQuantum", { $0.urlQuantum = Self.endless }),
            ("stsEndpointURL", { $0.stsEndpointURL = "http://sts.internal" }),
            ("stsEndpointURL", { $0.stsEndpointURL = "sts.internal" }),
            ("instanceMetadata.endpointURL", { $0.instanceMetadata.endpointURL = "ftp://h" }),
            ("assumedRole.arn", { $0.assumedRole = S3AssumedRole(arn: "") }),
            ("assumedRole.sessionName", { $0.assumedRole = S3AssumedRole(arn: "a", sessionName: "a b") }),
            ("assumedRole.duration", { $0.assumedRole = S3AssumedRole(arn: "a", duration: .seconds(899)) }),
            ("assumedRole.duration", { $0.assumedRole = S3AssumedRole(arn: "a", duration: Self.endless) }),
        ]
        for (index, (option, change)) in changes.enumerated() {
            let error = await error(change)
            #expect(error?.code == .invalidConfiguration, "\(index) \(option)")
            #expect(error?.message.contains(option) == true, "\(index) \(option): \(error?.message ?? "")")
        }
    }

    @Test("S3 options at the limits of their ranges are accepted")
    func limits() async {
        let changes: [Change] = [
            { $0.connectTimeout = .milliseconds(1) }, { $0.connectTimeout = Self.day },
            { $0.stallTimeout = .milliseconds(1) }, { $0.stallTimeout = Self.day },
            { $0.idleConnectionAge = .milliseconds(1) }, { $0.idleConnectionAge = Self.day },
            { $0.transfers.rangeSize = 1 << 20 }, { $0.transfers.rangeSize = 1 << 30 },
            { $0.urlLifetime = .seconds(1) }, { $0.urlQuantum = Self.day * 7 },
            { $0.retries.baseDelay = .zero }, { $0.assumedRole = S3AssumedRole(arn: "a", duration: .seconds(900)) },
        ]
        for (index, change) in changes.enumerated() {
            let error = await error(change)
            #expect(error == nil, "\(index): \(error?.message ?? "")")
        }
    }

    @Test(
        "Durations of any length are converted to milliseconds, rounded up",
        arguments: [
            (.zero, 0), (.seconds(-5), 0), (.nanoseconds(1), 1), (.milliseconds(1), 1), (.microseconds(1001), 2),
            (.seconds(86_400), 86_400_000), (.seconds(Int64.max), .max), (.seconds(Int64.min), 0),
            (.seconds(Int64.max / 1000), .max), (.seconds(Int64.max / 1000 - 1), 9_223_372_036_854_774_000),
        ] as [(Duration, Int)]
    )
    func milliseconds(duration: Duration, expected: Int) {
        #expect(duration.milliseconds == expected)
    }

    // MARK: The environment

    private func setup(
        _ variables: [String: String],
        endpoint: String? = nil,
        _ change: Change = { _ in }
    ) -> S3Setup {
        var setup = ScriptedBucket.setup(endpoint: endpoint, useSSL: true)
        // The setup of the other tests changes the waits, which here are to be those that nobody set.
        setup.options = S3Options()
        change(&setup.options)
        setup.environment = EnvironmentVariables(variables)
        return setup
    }

    @Test(
        "The number of attempts comes from the environment when no option gives it",
        arguments: [
            ([:], 5), (["AWS_RETRY_MODE": "legacy"], 5), (["AWS_RETRY_MODE": "standard"], 3),
            (["AWS_RETRY_MODE": "Adaptive"], 3), (["AWS_RETRY_MODE": ""], 5), (["AWS_MAX_ATTEMPTS": "7"], 7),
            (["AWS_RETRY_MODE": "standard", "AWS_MAX_ATTEMPTS": "7"], 7), (["AWS_MAX_ATTEMPTS": "0"], 1),
        ] as [([String: String], Int)]
    )
    func attempts(variables: [String: String], expected: Int) throws {
        #expect(try setup(variables).parts().client.settings.retries.maxAttempts == expected)
        let given = setup(variables) { $0.retries.maxAttempts = 2 }
        #expect(try given.parts().client.settings.retries.maxAttempts == 2)
    }

    @Test("An invalid environment variable is refused by name")
    func variables() async {
        for (name, value) in [
            ("AWS_RETRY_MODE", "often"), ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "perhaps"),
            ("AWS_MAX_ATTEMPTS", "three"), ("AWS_MAX_ATTEMPTS", "3.5"),
        ] {
            let error = await storageError { try setup([name: value]).parts() as Any }
            #expect(error?.code == .invalidConfiguration)
            #expect(error?.message.contains(name) == true)
        }
    }

    @Test("Endpoints of the environment and the profile can be ignored")
    func ignoredEndpoints() throws {
        let endpoint = ["AWS_ENDPOINT_URL_S3": "https://minio.internal"]
        func host(_ variables: [String: String], _ change: (inout S3Setup) -> Void = { _ in }) throws -> String {
            var setup = setup(variables)
            change(&setup)
            return try setup.parts().client.addressing.host
        }
        let ignoring = endpoint.merging(["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"]) { $1 }
        #expect(try host(endpoint) == "minio.internal")
        #expect(try host(ignoring) == "bucket.s3.amazonaws.com")
        #expect(try host(ignoring) { $0.endpointURL = "https://ceph.internal" } == "ceph.internal")
        var profile = try ProfileSettings.empty()
        profile.endpointURL = "https://ceph.internal"
        #expect(try host([:]) { $0.profile = profile } == "ceph.internal")
        #expect(try host(ignoring) { $0.profile = profile } == "bucket.s3.amazonaws.com")
        // Then it is Amazon's endpoint again that the profile speaks of.
        profile.usesDualStack = true
        #expect(try host(ignoring) { $0.profile = profile } == "bucket.s3.dualstack.us-east-1.amazonaws.com")
        #expect(try host(endpoint) { $0.profile = profile } == "minio.internal")
    }

    @Test("FIPS and dual-stack settings apply to Amazon's endpoints only, as in botocore")
    func variants() throws {
        func host(_ variables: [String: String], _ change: (inout S3Setup) -> Void = { _ in }) throws -> String {
            var setup = setup(variables)
            change(&setup)
            return try setup.parts().client.addressing.host
        }
        let fips = ["AWS_USE_FIPS_ENDPOINT": "true"]
        let both = ["AWS_USE_FIPS_ENDPOINT": "TRUE", "AWS_USE_DUALSTACK_ENDPOINT": "true"]
        let server = ["AWS_ENDPOINT_URL": "https://minio.internal"]
        #expect(try host(fips) == "bucket.s3-fips.us-east-1.amazonaws.com")
        #expect(try host(["AWS_USE_DUALSTACK_ENDPOINT": "true"]) == "bucket.s3.dualstack.us-east-1.amazonaws.com")
        #expect(try host(both) == "bucket.s3-fips.dualstack.us-east-1.amazonaws.com")
        #expect(try host(both.merging(server) { $1 }) == "minio.internal")
        #expect(try host(both) { $0.endpointURL = "https://minio.internal" } == "minio.internal")
        #expect(try host(both) { $0.endpointURL = "minio.internal" } == "minio.internal")
        var profile = try ProfileSettings.empty()
        profile.usesFIPS = true
        #expect(try host([:]) { $0.profile = profile } == "bucket.s3-fips.us-east-1.amazonaws.com")
        #expect(try host(["AWS_USE_FIPS_ENDPOINT": "false"]) { $0.profile = profile } == "bucket.s3.amazonaws.com")
        profile.usesFIPS = nil
        profile.endpointURL = "https://ceph.internal"
        #expect(try host(fips) { $0.profile = profile } == "ceph.internal")
        for variable in ["AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"] {
            #expect(throws: StorageError.self) { try host([variable: "perhaps"]) }
        }
    }
}
