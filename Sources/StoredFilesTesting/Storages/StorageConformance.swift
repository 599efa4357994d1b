public import Storages

/// The promises of `Storage` as named checks, for every storage: yours too.
///
/// ```swift
/// @Test(arguments: StorageConformance.checks)
/// func keepsItsPromises(check: StorageConformance.Check) async throws {
///     try await StorageConformance.run(check) { try MyStorage() }
/// }
/// ```
///
/// A check works below a directory of its own with a random name and removes it afterwards, so all may run at the same
/// time on one bucket. What a storage does not list in its capabilities is expected to be refused.
public struct StorageConformance: Sendable {
    /// A check of one promise.
    public struct Check: Sendable, Hashable, CustomStringConvertible {
        /// A sentence such as `deletes a missing name without an error`.
        public let name: String

        let body: @Sendable (ConformanceSubject) async throws -> Void

        init(_ name: String, _ body: @escaping @Sendable (ConformanceSubject) async throws -> Void) {
            self.name = name
            self.body = body
        }

        /// The sentence.
        public var description: String { name }

        /// Returns whether two checks have the same name.
        public static func == (left: Check, right: Check) -> Bool { left.name == right.name }

        /// Feeds the name into a hasher.
        public func hash(into hasher: inout Hasher) { hasher.combine(name) }
    }

    /// All checks.
    public static let checks: [Check] =
        contentChecks + rangeChecks + writingChecks + failureChecks + nameChecks + queryChecks
        + listingChecks + copyChecks

    /// Runs one check.
    ///
    /// - Parameters:
    ///   - check: The check.
    ///   - makeStorage: Makes the storage, or hands out one that is shared with other checks.
    /// - Throws: ``ConformanceFailure`` when the promise is not kept; what the storage throws when it should not.
    public static func run(
        _ check: Check,
        on makeStorage: @Sendable () async throws -> any Storage
    ) async throws {
        let subject = ConformanceSubject(storage: try await makeStorage(), check: check.name)
        do {
            try await check.body(subject)
        } catch {
            await subject.removeEverything()
            throw error
        }
        await subject.removeEverything()
    }

    /// Runs all checks, one after the other.
    ///
    /// - Parameter storage: The storage; what is in it is left alone.
    /// - Throws: ``ConformanceFailure`` with the messages of all checks that failed.
    public static func verify(_ storage: any Storage) async throws {
        var failures: [String] = []
        for check in checks {
            do {
                try await run(check) { storage }
            } catch let error as ConformanceFailure {
                failures.append(error.description)
            } catch let error as CancellationError {
                throw error
            } catch {
                failures.append("\(check): threw \(error)")
            }
        }
        guard failures.isEmpty else {
            throw ConformanceFailure(check: storage.label, message: failures.joined(separator: "\n"))
        }
    }
}
