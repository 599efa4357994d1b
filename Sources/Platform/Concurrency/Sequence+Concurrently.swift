extension Array where Element: Sendable {
    /// The results of some work for each element, in order; a few are worked on at the same time.
    ///
    /// - Parameters:
    ///   - width: How many at a time.
    ///   - work: The work. The first error ends the others.
    func mapConcurrently<Result: Sendable>(
        width: Int = 16,
        _ work: @escaping @Sendable (Element) async throws -> Result
    ) async throws -> [Result] {
        try await withThrowingTaskGroup(of: (Int, Result).self) { group in
            var results = [Result?](repeating: nil, count: count)
            var next = 0
            func start() {
                guard next < count else { return }
                let (index, element) = (next, self[next])
                next += 1
                group.addTask { (index, try await work(element)) }
            }
            for _ in 0..<Swift.min(width, count) { start() }
            while let (index, result) = try await group.next() {
                results[index] = result
                start()
            }
            return results.compactMap { $0 }
        }
    }
}
