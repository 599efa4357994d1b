import NIOConcurrencyHelpers
import NIOCore

/// The bytes of an answer, to be read once; what it holds open is let go with the iterator.
struct HTTPResponseBody: AsyncSequence, Sendable {
    typealias Element = ByteBuffer
    typealias Failure = any Error
    typealias Read = () async throws -> ByteBuffer?

    private let source: Source

    init(_ makeReader: @escaping @Sendable () -> Read) {
        source = Source(makeReader)
    }

    init(_ buffer: ByteBuffer) {
        self.init {
            var rest: ByteBuffer? = buffer
            return {
                defer { rest = nil }
                return rest
            }
        }
    }

    func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(read: source.takeOnce())
    }

    struct AsyncIterator: AsyncIteratorProtocol {
        var read: Read?

        mutating func next() async throws -> ByteBuffer? {
            guard let read else { return nil }
            do {
                if let chunk = try await read() { return chunk }
            } catch {
                self.read = nil
                throw error
            }
            self.read = nil
            return nil
        }
    }

    private final class Source: Sendable {
        private let make: NIOLockedValueBox<(@Sendable () -> Read)?>

        init(_ make: @escaping @Sendable () -> Read) {
            self.make = NIOLockedValueBox(make)
        }

        func takeOnce() -> Read? {
            let make = make.withLockedValue { make in
                defer { make = nil }
                return make
            }
            return make?()
        }
    }
}
