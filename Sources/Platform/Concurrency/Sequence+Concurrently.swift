extension Sequence where Element: Sendable {
    /// Runs a body for each element, for a limited number at the same time.
    ///
    /// - Parameters:
    ///   - limit: The most elements at the same time, at least 1.
    ///   - body: The body.
    /// - Throws: The first error of a body, after the others have been cancelled and have ended.
    package func forEachConcurrently(
        limit: Int,
        _ body: @escaping @Sendable (Element) async throws -> Void
    ) async throws {
        var iterator = makeIterator()
        try await processConcurrently(limit: limit, next: { iterator.next() }, transform: body, collect: { _ in })
    }

    /// Returns the results of a transform of each element, in the order of the elements.
    ///
    /// - Parameters:
    ///   - limit: The most elements at the same time, at least 1.
    ///   - transform: The transform.
    /// - Throws: The first error of a transform, after the others have been cancelled and have ended.
    package func mapConcurrently<Result: Sendable>(
        limit: Int,
        _ transform: @escaping @Sendable (Element) async throws -> Result
    ) async throws -> [Result] {
        var iterator = makeIterator()
        var results: [Result?] = []
        try await processConcurrently(limit: limit) {
            guard let element = iterator.next() else { return nil as (index: Int, element: Element)? }
            results.append(nil)
            return (results.count - 1, element)
        } transform: { input in
            (index: input.index, result: try await transform(input.element))
        } collect: { output in
            results[output.index] = output.result
        }
        return results.compactMap { $0 }
    }
}

/// Transforms inputs as they come, a limited number at the same time.
///
/// The next input is awaited while the others are transformed, also when there are as many of these as may be.
///
/// - Parameters:
///   - limit: The most transforms at the same time, at least 1.
///   - next: Returns the next input; `nil` after the last one.
///   - transform: The transform.
///   - collect: Called with each output, in the order in which they come.
/// - Throws: The first error of a closure, after the transforms have been cancelled and have ended.
package func processConcurrently<Input: Sendable, Output: Sendable>(
    limit: Int,
    next: () async throws -> Input?,
    transform: @escaping @Sendable (Input) async throws -> Output,
    collect: (Output) throws -> Void
) async throws {
    try await withThrowingTaskGroup(of: Output.self) { group in
        var running = 0
        while let input = try await next() {
            if running >= max(1, limit), let output = try await group.next() {
                running -= 1
                try collect(output)
            }
            group.addTask { try await transform(input) }
            running += 1
        }
        while let output = try await group.next() { try collect(output) }
    }
}
