/// Returns whether a condition becomes true, which is looked at every five milliseconds.
///
/// - Parameters:
///   - limit: The longest wait. Default: one minute, which no test takes unless it fails.
///   - condition: The condition.
/// - Throws: The errors of the condition; `CancellationError`.
package func eventually(
    within limit: Duration = .seconds(60),
    _ condition: () async throws -> Bool
) async throws -> Bool {
    let end = ContinuousClock.now + limit
    while ContinuousClock.now < end {
        if try await condition() { return true }
        try await Task.sleep(for: .milliseconds(5))
    }
    return try await condition()
}

/// Waits until a condition is true.
///
/// - Parameters:
///   - failure: The state that must end, in words for the error, such as "the standby does not stream".
///   - condition: The condition.
/// - Throws: ``ConditionNotMet`` after a minute; the errors of the condition; `CancellationError`.
package func waitUntil(
    _ failure: String = "the test waits for a condition",
    _ condition: () async throws -> Bool
) async throws {
    guard try await eventually(condition) else { throw ConditionNotMet(description: "after a minute, \(failure)") }
}

/// The error when a condition that a test waits for does not become true.
package struct ConditionNotMet: Error, CustomStringConvertible {
    package let description: String
}
