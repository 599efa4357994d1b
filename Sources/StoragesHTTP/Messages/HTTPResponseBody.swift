import NIOCore
import Storages

/// The bytes of a response, to be read once; what it holds open is released with the iterator.
struct HTTPResponseBody: AsyncSequence, Sendable {
    typealias Element = ByteBuffer
    typealias Failure = any Error

    private let source: OneTimeSource

    init(_ makeReader: @escaping @Sendable () -> OneTimeSource.Read) {
        source = OneTimeSource(makeReader)
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
        var read: OneTimeSource.Read?

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
}
