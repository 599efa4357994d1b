import Synchronization

/// The bytes that all uploads of the process keep for libgd, under one bound.
///
/// An upload that finds the bound reached does not wait, as its client is sending; it is taken by its header.
final class RetainedBytes: Sendable {
    /// The bytes that one upload keeps; they are given back with the last reference.
    final class Share: Sendable {
        private let owner: RetainedBytes
        private let byteCount = Atomic(0)

        fileprivate init(_ owner: RetainedBytes) {
            self.owner = owner
        }

        /// Takes more of the bound, if there is more.
        func grow(by count: Int) -> Bool {
            guard owner.used.wrappingAdd(count, ordering: .relaxed).newValue <= owner.bound else {
                owner.used.wrappingSubtract(count, ordering: .relaxed)
                return false
            }
            byteCount.wrappingAdd(count, ordering: .relaxed)
            return true
        }

        deinit {
            owner.used.wrappingSubtract(byteCount.load(ordering: .relaxed), ordering: .relaxed)
        }
    }

    /// 64 MiB for the process.
    static let shared = RetainedBytes(bound: 64 << 20)

    private let bound: Int
    private let used = Atomic(0)

    /// Creates a bound.
    init(bound: Int) {
        self.bound = bound
    }

    /// The bytes that are kept now.
    var count: Int { used.load(ordering: .relaxed) }

    /// An empty share.
    func share() -> Share { Share(self) }
}
