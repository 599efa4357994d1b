import NIOConcurrencyHelpers
import NIOCore
import TestSupport

@testable import StoragesS3

/// A source that delivers so many bytes and then nothing until it is cancelled; or not even then.
struct StallingSource: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    let byteCount: Int
    /// Counts those that have fallen silent.
    let silent: Counter
    /// Keeps those that do not hear that they are cancelled; `nil` for one that does.
    var deaf: Deaf?

    /// Tasks that sleep until the test is over.
    final class Deaf: Sendable {
        private let sleepers = NIOLockedValueBox<[CheckedContinuation<Void, Never>]>([])

        func sleep() async {
            await withCheckedContinuation { sleeper in sleepers.withLockedValue { $0.append(sleeper) } }
        }

        func wakeAll() {
            sleepers.withLockedValue { sleepers in
                sleepers.forEach { $0.resume() }
                sleepers = []
            }
        }
    }

    func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(source: self, left: byteCount)
    }

    struct AsyncIterator: AsyncIteratorProtocol {
        let source: StallingSource
        var left: Int

        mutating func next() async throws -> ByteBuffer? {
            guard left == 0 else {
                let count = Swift.min(left, 64 * 1024)
                left -= count
                return ByteBuffer(repeating: 7, count: count)
            }
            source.silent.next()
            if let deaf = source.deaf { await deaf.sleep() } else { try await Task.sleep(for: .seconds(3600)) }
            return nil
        }
    }
}
