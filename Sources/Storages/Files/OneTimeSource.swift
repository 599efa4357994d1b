import NIOConcurrencyHelpers
package import NIOCore

/// Chunks of bytes that can be read once, whatever copies there are of what has them.
///
/// Gives the chunks to the first who asks, and then holds nothing itself: what is open closes with its reader.
package final class OneTimeSource: Sendable {
    package typealias Read = () async throws -> ByteBuffer?

    private let make: NIOLockedValueBox<(@Sendable () -> Read)?>

    package init(_ make: @escaping @Sendable () -> Read) {
        self.make = NIOLockedValueBox(make)
    }

    /// Starts reading, the first time; what the source holds then belongs to the reader alone.
    package func takeOnce() -> Read? {
        let make = make.withLockedValue { make in
            defer { make = nil }
            return make
        }
        return make?()
    }
}
