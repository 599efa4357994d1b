import Foundation
import NIOConcurrencyHelpers
import Storages
import Testing

@testable import StoragesHTTP
@testable import StoragesS3

@Suite("Retries")
struct RetryTests {
    private static func failure(
        _ cause: S3Failure.Cause,
        method: HTTPRequest.Method = .get,
        retriesConflicts: Bool = false
    ) -> S3Failure {
        var operation = S3Operation("GetObject", method, key: "k")
        operation.retriesConflicts = retriesConflicts
        return S3Failure(operation, bucket: "b", cause)
    }

    private static func answer(
        _ status: Int,
        _ code: String? = nil,
        _ headers: HTTPHeaders = [:],
        method: HTTPRequest.Method = .get,
        retriesConflicts: Bool = false
    ) -> S3Failure {
        var document = S3ErrorDocument()
        document.code = code.flatMap { S3ErrorCode(rawValue: $0) }
        let cause = S3Failure.Cause.response(status: status, headers: headers, document)
        return failure(cause, method: method, retriesConflicts: retriesConflicts)
    }

    // MARK: Verdicts

    @Test(
        "A request is retried after a response with one of these statuses",
        arguments: [408, 429, 499, 500, 502, 503, 504, 509, 520, 521, 522, 523, 524, 525, 526, 527, 530]
    )
    func retried(status: Int) {
        let isThrottled = [429, 503, 509].contains(status)
        #expect(RetryVerdict(Self.answer(status)) == .retry(isThrottled: isThrottled, after: nil))
    }

    @Test(
        "A request is not retried after a response with one of these statuses",
        arguments: [301, 304, 400, 401, 403, 404, 405, 409, 411, 412, 416, 501, 505]
    )
    func final(status: Int) {
        #expect(RetryVerdict(Self.answer(status)) == .fail)
    }

    @Test(
        "The error code decides about a retry more than the status",
        arguments: [
            ("RequestTimeout", .retry(isThrottled: false, after: nil)),
            ("IncompleteBody", .retry(isThrottled: false, after: nil)),
            ("BadDigest", .retry(isThrottled: false, after: nil)),
            ("OperationAborted", .retry(isThrottled: false, after: nil)),
            ("SlowDown", .retry(isThrottled: true, after: nil)),
            ("ThrottlingException", .retry(isThrottled: true, after: nil)),
            ("ExpiredToken", .refreshCredentials), ("InvalidToken", .refreshCredentials),
            ("AccessDenied", .fail), ("InvalidArgument", .fail), ("ConditionalRequestConflict", .fail),
        ] as [(String, RetryVerdict)]
    )
    func codes(code: String, expected: RetryVerdict) {
        #expect(RetryVerdict(Self.answer(400, code)) == expected)
    }

    @Test("A retry waits for the seconds or until the date that the server asks for")
    func waits() {
        func wait(_ headers: HTTPHeaders) -> Duration? {
            guard case .retry(_, let wait) = RetryVerdict(Self.answer(503, nil, headers)) else { return nil }
            return wait
        }
        #expect(wait(["Retry-After": "7"]) == .seconds(7))
        let date = "Fri, 24 May 2013 00:00:00 GMT"
        // By the server's clock, whatever the time is here.
        #expect(wait(["Date": date, "Retry-After": "Fri, 24 May 2013 00:00:09 GMT"]) == .seconds(9))
        #expect(wait(["Date": date, "Retry-After": "Friday, 24-May-13 00:01:00 GMT"]) == .seconds(60))
        #expect(wait(["Date": date, "Retry-After": "Thu, 23 May 2013 00:00:00 GMT"]) == .seconds(0))
        #expect(wait(["Retry-After": date]) == .seconds(0))
        #expect(wait(["Retry-After": "soon"]) == nil)
        #expect(wait(["Retry-After": "-1"]) == nil)
    }

    @Test("A conflict is retried for whole objects, not for multipart uploads")
    func conflicts() {
        let put = Self.answer(409, "ConditionalRequestConflict", retriesConflicts: true)
        #expect(RetryVerdict(put) == .retry(isThrottled: false, after: nil))
        let complete = Self.answer(409, "ConditionalRequestConflict")
        #expect(RetryVerdict(complete) == .fail)
    }

    @Test("An error under a status of success is retried depending on its code")
    func documents() {
        func verdict(_ code: String?) -> RetryVerdict {
            var document = S3ErrorDocument()
            document.code = code.flatMap { S3ErrorCode(rawValue: $0) }
            return RetryVerdict(Self.failure(.document(status: 200, headers: [:], .error(document))))
        }
        #expect(verdict("InternalError") == .retry(isThrottled: false, after: nil))
        #expect(verdict(nil) == .retry(isThrottled: false, after: nil))
        #expect(verdict("SlowDown") == .retry(isThrottled: true, after: nil))
        #expect(verdict("NoSuchKey") == .fail)
        let unreadable = Self.failure(.document(status: 200, headers: [:], .unreadable("")))
        #expect(RetryVerdict(unreadable) == .retry(isThrottled: false, after: nil))
        #expect(unreadable.isAmbiguous)
    }

    @Test("A failed transfer is retried depending on what broke")
    func transport() {
        func verdict(_ kind: HTTPFailure.Kind, dead: Bool = false) -> RetryVerdict {
            var failure = HTTPFailure(kind, "")
            failure.isDeadReusedConnection = dead
            return RetryVerdict(Self.failure(.transport(failure)))
        }
        for kind in [HTTPFailure.Kind.notConnected, .connectionLost, .truncated, .timedOut, .malformedResponse] {
            #expect(verdict(kind) == .retry(isThrottled: false, after: nil))
        }
        for kind in [HTTPFailure.Kind.untrusted, .responseTooLarge, .invalidRequest] { #expect(verdict(kind) == .fail) }
        #expect(verdict(.connectionLost, dead: true) == .reconnect)
    }

    @Test(
        "The headers Retry-After and x-amz-retry-after set the delay of a retry",
        arguments: [
            (["Retry-After": "3"], .seconds(3)), (["x-amz-retry-after": "250"], .milliseconds(250)),
            (["Retry-After": "3", "x-amz-retry-after": "250"], .milliseconds(250)),
            (["Retry-After": "-1"], nil), (["Retry-After": "Fri, 24 May 2013 00:00:00 GMT"], .zero),
            (["Retry-After": "99999999999999999999"], nil), (["Retry-After": "9223372036854775807"], .seconds(3600)),
            (["x-amz-retry-after": "9223372036854775807"], .seconds(3600)),
        ] as [(HTTPHeaders, Duration?)]
    )
    func asked(headers: HTTPHeaders, expected: Duration?) {
        #expect(RetryVerdict(Self.answer(503, nil, headers)) == .retry(isThrottled: true, after: expected))
    }

    // MARK: Delays

    @Test("Retry delays are random, and their upper limit doubles until the maximum")
    func delays() {
        let retries = S3Retries(baseDelay: .milliseconds(100), throttledBaseDelay: .seconds(1), maxDelay: .seconds(2))
        for (retry, ceiling) in [(1, 0.1), (2, 0.2), (3, 0.4), (5, 1.6), (6, 2), (60, 2), (.max, 2)] {
            let drawn = (0..<200).map { _ in retries.policy.delay(before: retry, isThrottled: false, asked: nil) }
            #expect(drawn.allSatisfy { $0 >= .zero && $0 <= .seconds(ceiling) })
            #expect(Set(drawn).count > 100)
            #expect(drawn.contains { $0 < .seconds(ceiling / 3) } && drawn.contains { $0 > .seconds(ceiling / 1.5) })
        }
        let throttled = (0..<200).map { _ in retries.policy.delay(before: 1, isThrottled: true, asked: nil) }
        #expect(throttled.contains { $0 > .milliseconds(500) })
        #expect(retries.policy.delay(before: 1, isThrottled: false, asked: .seconds(1)) == .seconds(1))
        #expect(retries.policy.delay(before: 1, isThrottled: false, asked: .seconds(100)) == .seconds(2))
    }

    // MARK: Tokens

    @Test("Retries cost tokens, which successes earn")
    func tokens() {
        let tokens = RetryTokens()
        #expect(tokens.count == 500)
        for _ in 0..<35 { #expect(tokens.take(RetryTokens.cost(isThrottled: false))) }
        #expect(tokens.count == 10)
        #expect(!tokens.take(RetryTokens.cost(isThrottled: false)))
        #expect(tokens.take(RetryTokens.cost(isThrottled: true)))
        tokens.reward(0)
        #expect(tokens.count == 6)
        tokens.reward(28)
        #expect(tokens.count == 34)
        tokens.reward(1000)
        #expect(tokens.count == 500)
    }

    // MARK: Clocks

    private static func skewed(_ server: Date, _ headers: HTTPHeaders = [:], _ status: Int = 403) -> S3Failure {
        var headers = headers
        headers["Date"] = HTTPDate.string(from: server)
        return answer(status, "RequestTimeTooSkewed", headers)
    }

    @Test("The clock is corrected when it is off by more than four minutes", arguments: [-1, 1] as [Double])
    func clock(sign: Double) {
        let wall = Date(timeIntervalSince1970: 1_700_000_000)
        for (seconds, isLearnt) in [(100.0, false), (239, false), (241, true), (1200, true)] {
            let clock = ClockOffset { wall }
            #expect(clock.learn(from: Self.skewed(wall.addingTimeInterval(sign * seconds)), used: 0) == isLearnt)
            #expect(clock.now == wall.addingTimeInterval(isLearnt ? sign * seconds : 0))
        }
    }

    @Test("A request is sent with the corrected clock only if it used another offset before")
    func usedOffset() {
        let wall = Date(timeIntervalSince1970: 1_700_000_000)
        let clock = ClockOffset { wall }
        let failure = Self.skewed(wall.addingTimeInterval(1200))
        #expect(clock.learn(from: failure, used: 0))
        #expect(clock.learn(from: failure, used: 0))
        #expect(!clock.learn(from: failure, used: clock.reading.offset))
        // And back, when the server was wrong.
        #expect(clock.learn(from: Self.skewed(wall), used: 1200))
        #expect(clock.now == wall)
    }

    @Test("The clock offset is dropped when this machine's clock is set")
    func clockIsSet() {
        let wall = NIOLockedValueBox(Date(timeIntervalSince1970: 1_700_000_000))
        let clock = ClockOffset { wall.withLockedValue { $0 } }
        let server = wall.withLockedValue { $0 }.addingTimeInterval(1200)
        #expect(clock.learn(from: Self.skewed(server), used: 0))
        wall.withLockedValue { $0 += 1200 }
        #expect(clock.now == server)
        #expect(clock.reading.offset == 0)
    }

    @Test("The clock is corrected only by fresh responses that complain about the date")
    func noClock() {
        let wall = Date(timeIntervalSince1970: 1_700_000_000)
        let clock = ClockOffset { wall }
        let server = wall.addingTimeInterval(1200)
        #expect(!clock.learn(from: Self.skewed(server, ["Age": "60"]), used: 0))
        #expect(!clock.learn(from: Self.skewed(server, [:], 500), used: 0))
        let date: HTTPHeaders = ["Date": HTTPDate.string(from: server) ?? ""]
        #expect(!clock.learn(from: Self.answer(404, "NoSuchKey", date), used: 0))
        #expect(!clock.learn(from: Self.answer(403, nil, date), used: 0))
        #expect(!clock.learn(from: Self.answer(403, "AccessDenied"), used: 0))
        #expect(!clock.learn(from: Self.failure(.transport(HTTPFailure(.timedOut, ""))), used: 0))
        #expect(clock.learn(from: Self.answer(403, nil, date, method: .head), used: 0))
    }
}
