import Foundation
import Storages
import Testing

@testable import StoragesHTTP
@testable import StoragesS3

@Suite("Wrong clocks", .timeLimit(.minutes(1)))
struct ClockSkewTests {
    static let name = StorageName(unchecked: "file")

    /// A form in which servers report that a request has a wrong date.
    enum Complaint: String, CaseIterable, Sendable, CustomTestStringConvertible {
        case coded, serverTime, accessDenied, head

        var testDescription: String { rawValue }

        func answer(_ server: Date) -> FaultProxy.Action {
            let date = [(name: "Date", value: HTTPDate.string(from: server) ?? "")]
            switch self {
            case .coded: return ScriptedBucket.answer(403, ScriptedBucket.error("RequestTimeTooSkewed"), date)
            case .serverTime:
                let time = "<ServerTime>\(ISO8601Timestamp.string(from: server) ?? "")</ServerTime>"
                return ScriptedBucket.failure(403, "RequestTimeTooSkewed", time)
            case .accessDenied: return ScriptedBucket.answer(400, ScriptedBucket.error("AccessDenied"), date)
            case .head: return ScriptedBucket.answer(403, "", date)
            }
        }

        func ask(_ storage: S3Storage) async throws {
            if self == .head { _ = try await storage.info(for: name) } else { _ = try await storage.open(name) }
        }
    }

    /// A server whose clock is so far ahead, and that allows a quarter of an hour.
    private static func script(ahead: TimeInterval, _ complaint: Complaint) -> FaultProxy.Script {
        { request, _ in
            let server = Date(timeIntervalSinceNow: ahead)
            guard let signed = try? date(request["x-amz-date"] ?? ""), abs(signed.timeIntervalSince(server)) < 900
            else {
                return complaint.answer(server)
            }
            return ScriptedBucket.answer(200, "x")
        }
    }

    @Test(
        "A wrong clock costs one additional request, and only once",
        arguments: Complaint.allCases,
        [1200, -1200] as [TimeInterval]
    )
    func correction(complaint: Complaint, ahead: TimeInterval) async throws {
        try await FaultProxy.with { proxy in
            proxy.script(Self.script(ahead: ahead, complaint))
            let storage = try ScriptedBucket.storage(proxy) { $0.retries = .none }
            try await complaint.ask(storage)
            #expect(proxy.requests.count == 2)
            try await complaint.ask(storage)
            #expect(proxy.requests.count == 3)
            #expect(abs(storage.client.clock.reading.offset - ahead) < 5)
        }
    }

    @Test("A wrong clock is corrected for all concurrent requests")
    func concurrency() async throws {
        try await FaultProxy.with { proxy in
            proxy.script(Self.script(ahead: 1200, .coded))
            let storage = try ScriptedBucket.storage(proxy) { $0.retries = .none }
            try await withThrowingTaskGroup { group in
                for _ in 0..<40 { group.addTask { try await Complaint.coded.ask(storage) } }
                try await group.waitForAll()
            }
            #expect(proxy.requests.count <= 80)
        }
    }

    @Test("The clock is not corrected by a response from a cache")
    func age() async throws {
        try await FaultProxy.with { proxy in
            let old = HTTPDate.string(from: Date(timeIntervalSinceNow: -7200)) ?? ""
            proxy.script { _, _ in
                ScriptedBucket.answer(403, ScriptedBucket.error("AccessDenied"), [("Date", old), ("Age", "7200")])
            }
            let storage = try ScriptedBucket.storage(proxy)
            let error = await #expect(throws: StorageError.self) { try await Complaint.coded.ask(storage) }
            #expect(error?.code == .permissionDenied)
            #expect(proxy.requests.count == 1)
            #expect(storage.client.clock.reading.offset == 0)
        }
    }

    @Test("A refusal with the right date is not retried as one of a wrong clock")
    func refusal() async throws {
        try await FaultProxy.with { proxy in
            let now = HTTPDate.string(from: Date()) ?? ""
            proxy.script { _, _ in ScriptedBucket.answer(403, ScriptedBucket.error("AccessDenied"), [("Date", now)]) }
            let storage = try ScriptedBucket.storage(proxy)
            let error = await #expect(throws: StorageError.self) { try await Complaint.coded.ask(storage) }
            #expect(error?.code == .permissionDenied)
            #expect(proxy.requests.count == 1)
        }
    }
}
