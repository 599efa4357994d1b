package import NIOCore
package import Storages

/// The bytes of a response, to be read once; what it holds open is released with the iterator.
package struct HTTPResponseBody: AsyncSequence, Sendable {
    package typealias Element = ByteBuffer
    package typealias Failure = any Error

    @usableFromInline
    let source: OneTimeSource

    package init(_ makeReader: @escaping @Sendable () -> OneTimeSource.Read) {
        source = OneTimeSource(makeReader)
    }

    package init(_ buffer: ByteBuffer) {
        self.init {
            var rest: ByteBuffer? = buffer
            return {
                defer { rest = nil }
                return rest
            }
        }
    }

    @inlinable
    package func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(read: source.takeOnce())
    }

    package struct AsyncIterator: AsyncIteratorProtocol {
        @usableFromInline
        var read: OneTimeSource.Read?

        @usableFromInline
        init(read: OneTimeSource.Read?) {
            self.read = read
        }

        @inlinable
        package mutating func next() async throws -> ByteBuffer? {
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
