/// Waits until a condition holds; returns `false` when it does not within a minute.
func eventually(_ condition: () -> Bool) async throws -> Bool {
    for _ in 0..<60_000 {
        if condition() { return true }
        try await Task.sleep(for: .milliseconds(1))
    }
    return condition()
}
