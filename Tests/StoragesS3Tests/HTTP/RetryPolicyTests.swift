import Testing

@testable import StoragesHTTP

@Suite("The loop of attempts")
struct RetryPolicyTests {
    private struct Problem: AmbiguousFailure, Equatable {
        var isAmbiguous = false
        var number = 0
    }

    private static let policy = RetryPolicy(maxAttempts: 3, every: .seconds(7))
    private static let later = RetryVerdict.retry(isThrottled: false, after: nil)

    @Test("ends with the last failure after as many attempts as the policy allows, with the waits in between")
    func limit() async throws {
        var waits: [String] = []
        var sent = 0
        let problem = await #expect(throws: Problem.self) {
            try await Self.policy.run(
                pause: { attempt, delay in waits.append("\(attempt) \(delay)") },
                judge: { _, _ in Self.later }
            ) { attempts in
                sent = attempts.sent
                throw Problem(number: attempts.sent)
            }
        }
        #expect(problem == Problem(number: 3))
        #expect(sent == 3)
        #expect(waits == ["2 7.0 seconds", "3 7.0 seconds"])
    }

    @Test("does not count attempts whose reason of failure was corrected")
    func atOnce() async throws {
        let sent = try await Self.policy.run(
            pause: { _, _ in Issue.record("There is nothing to wait for.") },
            judge: { _, _ in .retryAtOnce }
        ) { attempts in
            if attempts.sent < 10 { throw Problem() }
            return attempts.sent
        }
        #expect(sent == 10)
    }

    @Test("makes one new connection at once, and waits after that")
    func reconnecting() async throws {
        var waits = 0
        var fresh: [Bool] = []
        try await Self.policy.run(pause: { _, _ in waits += 1 }, judge: { _, _ in .reconnect }) { attempts in
            fresh.append(attempts.usesFreshConnection)
            if attempts.sent < 3 { throw Problem() }
        }
        #expect(fresh == [false, true, false])
        #expect(waits == 1)
    }

    @Test("leaves out the header Expect once it was refused, and fails when that did not help")
    func expecting() async throws {
        var expects: [Bool] = []
        await #expect(throws: Problem.self) {
            try await Self.policy.run(judge: { _, _ in .stopExpecting }) { attempts in
                expects.append(!attempts.expectsNothing)
                throw Problem()
            }
        }
        #expect(expects == [true, false])
    }

    @Test("does not repeat a request that may be carried out once only, unless it was not", arguments: [true, false])
    func idempotence(isAmbiguous: Bool) async throws {
        var sent = 0
        await #expect(throws: Problem.self) {
            try await Self.policy.run(
                isIdempotent: false,
                pause: { _, _ in },
                judge: { _, _ in Self.later }
            ) { attempts in
                sent = attempts.sent
                throw Problem(isAmbiguous: isAmbiguous)
            }
        }
        #expect(sent == (isAmbiguous ? 1 : 3))
    }

    @Test("begins no attempt after the budget")
    func budget() async throws {
        var policy = Self.policy
        policy.budget = .seconds(7)
        var sent = 0
        await #expect(throws: Problem.self) {
            try await policy.run(pause: { _, _ in }, judge: { _, _ in Self.later }) { attempts in
                sent = attempts.sent
                throw Problem()
            }
        }
        #expect(sent == 1)
    }

    @Test("pays for retries with tokens, and gets them back for a success")
    func tokens() async throws {
        let tokens = RetryTokens()
        try await Self.policy.run(tokens: tokens, pause: { _, _ in }, judge: { _, _ in Self.later }) { attempts in
            if attempts.sent < 3 { throw Problem() }
            #expect(tokens.count == 500 - 2 * RetryTokens.cost(isThrottled: false))
        }
        #expect(tokens.count == 500)
        #expect(tokens.take(490))
        var sent = 0
        await #expect(throws: Problem.self) {
            try await Self.policy.run(tokens: tokens, pause: { _, _ in }, judge: { _, _ in Self.later }) { attempts in
                sent = attempts.sent
                throw Problem()
            }
        }
        #expect(sent == 1)
    }

    @Test("counts anew after progress")
    func progress() async throws {
        var attempts = RetryAttempts(Self.policy)
        for _ in 0..<2 { #expect(try await attempts.wait(after: Self.later, pause: { _, _ in })) }
        #expect(try await !attempts.wait(after: Self.later, pause: { _, _ in }))
        attempts.restart()
        #expect(try await attempts.wait(after: Self.later, pause: { _, _ in }))
    }
}
