import Foundation
import Logging
import NIOConcurrencyHelpers
import Storages
import TestSupport
import Testing

@testable import StoragesHTTP
@testable import StoragesS3

/// Keeps what is logged.
struct KeptLog: LogHandler {
    let lines: NIOLockedValueBox<[String]>
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        lines.withLockedValue { $0.append("\(event.level): \(event.message) \(event.metadata ?? [:])") }
    }
}

/// A provider whose calls wait until the test answers them.
final class GatedProvider: S3CredentialProvider {
    private struct State {
        var calls: [CheckedContinuation<S3Credentials?, any Error>] = []
        var count = 0
        var active = 0
        var mostActive = 0
        var cancelled = 0
    }

    private let state = NIOLockedValueBox(State())

    var count: Int { state.withLockedValue { $0.count } }
    var mostActive: Int { state.withLockedValue { $0.mostActive } }
    var cancelled: Int { state.withLockedValue { $0.cancelled } }

    func credentials() async throws -> S3Credentials? {
        defer { state.withLockedValue { $0.active -= 1 } }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                state.withLockedValue { state in
                    state.count += 1
                    state.active += 1
                    state.mostActive = max(state.mostActive, state.active)
                    state.calls.append(continuation)
                }
            }
        } onCancel: {
            state.withLockedValue { $0.cancelled += 1 }
        }
    }

    /// Waits for a call and answers it.
    func answer(_ result: Result<S3Credentials?, any Error>) async {
        while true {
            let call = state.withLockedValue { $0.calls.isEmpty ? nil : $0.calls.removeFirst() }
            if let call { return call.resume(with: result) }
            await Task.yield()
        }
    }

    /// Waits until it was called so many times.
    func called(_ times: Int) async {
        while count < times { await Task.yield() }
    }
}

@Suite("The cache of credentials", .timeLimit(.minutes(2)))
struct CredentialCacheTests {
    let clock = TestClock()
    let log = NIOLockedValueBox<[String]>([])
    let provider = GatedProvider()
    let cache: CredentialCache<S3Credentials>

    static let down = StorageError(.unavailable, "The source is down.")

    init() {
        let lines = log
        cache = CredentialCache(
            provider,
            logger: Logger(label: "test") { _ in KeptLog(lines: lines) },
            now: { [clock] in clock.now },
            jitter: { $0.lowerBound }
        )
    }

    /// A set that ends so many seconds from now.
    func set(_ name: String, for seconds: TimeInterval? = 3600) -> S3Credentials {
        S3Credentials(
            accessKeyID: name,
            secretAccessKey: "hush-\(name)",
            sessionToken: "hush",
            expiration: seconds.map { clock.now + $0 }
        )
    }

    /// Fetches a first set.
    @discardableResult
    func filled(_ set: S3Credentials) async throws -> S3Credentials {
        async let first = cache.credentials()
        await provider.answer(.success(set))
        return try await first
    }

    /// Waits until the cache has another set, or logged a failure.
    func landed(_ condition: () async throws -> Bool) async throws {
        while try await !condition() { await Task.yield() }
    }

    @Test("The credential cache calls its provider once for a hundred tasks")
    func singleFlight() async throws {
        let set = set("A")
        let results = try await withThrowingTaskGroup(of: S3Credentials.self) { group in
            for _ in 0..<100 { group.addTask { try await cache.credentials() } }
            while cache.waiterCount < 100 { await Task.yield() }
            await provider.answer(.success(set))
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(results == Array(repeating: set, count: 100))
        clock.advance(3600 - 15 * 60 - 1)
        #expect(try await cache.credentials() == set)
        #expect(provider.count == 1)
    }

    @Test("The credential cache keeps credentials without an expiration for ever")
    func endless() async throws {
        let set = set("A", for: nil)
        try await filled(set)
        clock.advance(1e9)
        #expect(try await cache.credentials() == set)
        #expect(provider.count == 1)
    }

    @Test("Credentials are refreshed in the background from 15 minutes before they expire")
    func advisory() async throws {
        let (old, new) = (set("A"), set("B", for: 7200))
        try await filled(old)
        clock.advance(3600 - 15 * 60)
        for _ in 0..<10 { #expect(try await cache.credentials() == old) }
        await provider.called(1 + 1)
        for _ in 0..<10 { #expect(try await cache.credentials() == old) }
        await provider.answer(.success(new))
        try await landed { try await cache.credentials() == new }
        #expect(provider.count == 2)
    }

    @Test("A failed background refresh of credentials is logged and retried a minute later")
    func advisoryFailure() async throws {
        let old = set("A")
        try await filled(old)
        clock.advance(3600 - 15 * 60)
        _ = try await cache.credentials()
        await provider.answer(.failure(Self.down))
        try await landed { !log.withLockedValue { $0.isEmpty } }
        #expect(log.withLockedValue { $0.count } == 1)
        #expect(log.withLockedValue { $0[0].contains("warning") && $0[0].contains("The source is down.") })
        clock.advance(59)
        #expect(try await cache.credentials() == old)
        #expect(provider.count == 2)
        clock.advance(1)
        #expect(try await cache.credentials() == old)
        await provider.answer(.success(set("B")))
        try await landed { try await cache.credentials().accessKeyID == "B" }
        #expect(provider.count == 3)
    }

    @Test("The credential cache does not log the description of an error of an unknown type")
    func unknownError() async throws {
        struct Talkative: Error, CustomStringConvertible { var description: String { "hush" } }
        try await filled(set("A"))
        clock.advance(3600 - 15 * 60)
        _ = try await cache.credentials()
        await provider.answer(.failure(Talkative()))
        try await landed { !log.withLockedValue { $0.isEmpty } }
        #expect(log.withLockedValue { $0[0].contains("Talkative") && !$0[0].contains("hush") })
    }

    @Test("Tasks wait for new credentials from 10 minutes before the old ones expire")
    func mandatory() async throws {
        try await filled(set("A"))
        clock.advance(3600 - 10 * 60)
        let new = set("B")
        let waiting = Task { try await cache.credentials() }
        await provider.called(2)
        await provider.answer(.success(new))
        #expect(try await waiting.value == new)
        #expect(provider.count == 2)
    }

    @Test("Expired credentials stay in use while their source is unavailable")
    func down() async throws {
        let old = set("A")
        try await filled(old)
        clock.advance(7200)
        for call in 2...3 {
            let waiting = Task { try await cache.credentials() }
            await provider.called(call)
            await provider.answer(.failure(Self.down))
            #expect(try await waiting.value == old)
            // The source is left alone for a while.
            #expect(try await cache.credentials() == old)
            #expect(provider.count == call)
            clock.advance(61)
        }
    }

    @Test(
        "A refused refresh of credentials is an error only after the old ones have expired",
        arguments: [StorageError.Code.permissionDenied, .invalidConfiguration]
    )
    func refused(_ code: StorageError.Code) async throws {
        let old = set("A")
        try await filled(old)
        clock.advance(3600 - 60)
        let first = Task { try await cache.credentials() }
        await provider.answer(.failure(StorageError(code, "No.")))
        #expect(try await first.value == old)
        clock.advance(120)
        let second = Task { await storageError { try await cache.credentials() } }
        await provider.answer(.failure(StorageError(code, "No.")))
        #expect(await second.value?.code == code)
    }

    @Test("All waiting tasks get the error of a first fetch, and the next call fetches again")
    func firstFailure() async throws {
        let isDown = NIOLockedValueBox(true)
        let set = set("A")
        let provider = ScriptedProvider {
            if isDown.withLockedValue({ $0 }) { throw Self.down }
            return set
        }
        let cache = CredentialCache(provider, logger: Logger(label: "test"), now: { TestClock.start })
        let tasks = (0..<10).map { _ in Task { await storageError { try await cache.credentials() }?.code } }
        for task in tasks { #expect(await task.value == .unavailable) }
        isDown.withLockedValue { $0 = false }
        #expect(try await cache.credentials() == set)
    }

    @Test("The credential cache reports a provider without credentials")
    func none() async throws {
        let task = Task { await storageError { try await cache.credentials() } }
        await provider.answer(.success(nil))
        #expect(await task.value?.code == .invalidConfiguration)
    }

    @Test("Cancelling one waiting task does not cancel the provider call for the others")
    func cancelledWaiter() async throws {
        let patient = Task { try await cache.credentials() }
        await provider.called(1)
        let hasty = Task { try await cache.credentials() }
        while cache.waiterCount < 2 { await Task.yield() }
        hasty.cancel()
        await #expect(throws: CancellationError.self) { try await hasty.value }
        #expect(provider.cancelled == 0)
        let set = set("A")
        await provider.answer(.success(set))
        #expect(try await patient.value == set)
    }

    @Test("A provider call without waiting tasks is cancelled and ends before the next one begins")
    func abandoned() async throws {
        let only = Task { try await cache.credentials() }
        await provider.called(1)
        only.cancel()
        await #expect(throws: CancellationError.self) { try await only.value }
        #expect(provider.cancelled == 1)
        let next = Task { try await cache.credentials() }
        for _ in 0..<100 { await Task.yield() }
        #expect(provider.count == 1)
        // The call that was given up brings nothing, although it succeeds.
        await provider.answer(.success(set("A")))
        await provider.answer(.success(set("B")))
        #expect(try await next.value.accessKeyID == "B")
        #expect(provider.mostActive == 1)
    }

    @Test("A forced refresh by a hundred tasks calls the credential provider once")
    func forced() async throws {
        let (old, new) = (set("A"), set("B"))
        try await filled(old)
        let results = try await withThrowingTaskGroup(of: S3Credentials.self) { group in
            for _ in 0..<100 { group.addTask { try await cache.refresh(replacing: old) } }
            while cache.waiterCount < 100 { await Task.yield() }
            await provider.answer(.success(new))
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(results == Array(repeating: new, count: 100))
        #expect(try await cache.refresh(replacing: old) == new)
        #expect(try await cache.credentials() == new)
        #expect(provider.count == 2)
    }

    @Test("A forced refresh that yields the same credentials is not repeated at once")
    func forcedInVain() async throws {
        let old = set("A")
        try await filled(old)
        let refresh = Task { try await cache.refresh(replacing: old) }
        await provider.answer(.success(old))
        #expect(try await refresh.value == old)
        for _ in 0..<10 { #expect(try await cache.refresh(replacing: old) == old) }
        #expect(provider.count == 2)
        clock.advance(10)
        let later = Task { try await cache.refresh(replacing: old) }
        await provider.answer(.success(set("B")))
        #expect(try await later.value.accessKeyID == "B")
    }

    @Test("A failed forced refresh throws its error, and the old credentials stay in the cache")
    func forcedFailure() async throws {
        let old = set("A")
        try await filled(old)
        let refresh = Task { await storageError { try await cache.refresh(replacing: old) }?.code }
        await provider.answer(.failure(Self.down))
        #expect(await refresh.value == .unavailable)
        #expect(try await cache.credentials() == old)
        #expect(provider.count == 2)
    }

    @Test(
        "A failed forced refresh is reported whatever the expiration of the credentials is",
        arguments: [Double.infinity, -.infinity, .greatestFiniteMagnitude]
    )
    func unreasonableEnd(_ seconds: Double) async throws {
        let end = Date(timeIntervalSince1970: seconds)
        let old = S3Credentials(accessKeyID: "A", secretAccessKey: "hush", expiration: end)
        try await filled(old)
        let refresh = Task { await storageError { try await cache.refresh(replacing: old) }?.code }
        await provider.answer(.failure(Self.down))
        #expect(await refresh.value == .unavailable)
        #expect(log.withLockedValue { $0.count } == 1)
    }

    // MARK: Lifetimes

    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var left: TimeInterval
        var isSame = false
        var jitter: Double = 0
        var advisory: TimeInterval
        var mandatory: TimeInterval
        var testDescription: String { name }
    }

    @Test(
        "Refresh times follow from the remaining lifetime of the credentials",
        arguments: [
            Case(name: "long", left: 3600, advisory: 2700, mandatory: 3000),
            Case(name: "long, at the other end of the jitter", left: 3600, jitter: 1, advisory: 2640, mandatory: 2940),
            Case(
                name: "the metadata service gives the same again",
                left: 300,
                isSame: true,
                advisory: 120,
                mandatory: 420
            ),
            Case(name: "the same, jitter", left: 300, isSame: true, jitter: 1, advisory: 600, mandatory: 900),
            Case(name: "already expired", left: -50, advisory: 120, mandatory: 420),
            Case(name: "short from the start", left: 900, advisory: 450, mandatory: 720),
            Case(name: "very short", left: 100, advisory: 50, mandatory: 80),
            Case(name: "the same and long", left: 3600, isSame: true, advisory: 2700, mandatory: 3000),
        ]
    )
    func lifetimes(_ example: Case) {
        let set = set("A", for: example.left)
        let lifetime = CredentialLifetime(of: set, replacing: example.isSame ? set : nil, at: clock.now) {
            $0.lowerBound + ($0.upperBound - $0.lowerBound) * example.jitter
        }
        #expect(lifetime.advisory.timeIntervalSince(clock.now) == example.advisory)
        #expect(lifetime.mandatory.timeIntervalSince(clock.now) == example.mandatory)
    }

    @Test("Credentials that the source returns unchanged are not refreshed for every request")
    func staticStability() async throws {
        let old = set("A")
        try await filled(old)
        clock.advance(3600 - 300)
        let waiting = Task { try await cache.credentials() }
        await provider.answer(.success(old))
        #expect(try await waiting.value == old)
        clock.advance(119)
        #expect(try await cache.credentials() == old)
        #expect(provider.count == 2)
        clock.advance(1)
        #expect(try await cache.credentials() == old)
        await provider.called(3)
        await provider.answer(.success(set("B")))
        try await landed { try await cache.credentials().accessKeyID == "B" }
    }

    @Test("Setting the clock back after a failed refresh does not delay the next one for long")
    func clockSetBack() async throws {
        let old = set("A", for: 7200)
        try await filled(old)
        clock.advance(7200 - 300)
        let waiting = Task { try await cache.credentials() }
        await provider.answer(.failure(Self.down))
        #expect(try await waiting.value == old)
        clock.advance(-600)
        #expect(try await cache.credentials() == old)
        await provider.called(3)
        await provider.answer(.success(set("B")))
        try await landed { try await cache.credentials().accessKeyID == "B" }
    }
}
