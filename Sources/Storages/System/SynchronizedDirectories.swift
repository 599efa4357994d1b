import NIOConcurrencyHelpers

/// Remembers which directories have all their entries on the medium.
///
/// A directory on the way to a new file may have been made by somebody who has not written out its entry yet, or died
/// before. So every directory on the way is written out once; after that it need not be again for as long as its inode
/// and the time of its last change are the same.
final class SynchronizedDirectories: Sendable {
    /// A directory as it was at some moment: any new or removed entry gives it another time of change.
    struct Stamp: Hashable, Sendable {
        var device: UInt64
        var inode: UInt64
        var seconds: Int64
        var nanoseconds: Int64
    }

    private struct Key: Hashable {
        var device: UInt64
        var inode: UInt64
    }

    /// Some 64 bytes each; when there are more, all are forgotten and written out once again.
    private static let capacity = 4096

    private let known = NIOLockedValueBox<[Key: Stamp]>([:])

    /// Forgets all: directories of another mount may have the same numbers.
    func forget() {
        known.withLockedValue { $0 = [:] }
    }

    /// Writes a directory out unless it is known to be; `now` in seconds since 1970.
    func synchronize(
        _ directory: Descriptor,
        now: Int64? = nil,
        by write: (Descriptor) throws -> Void
    ) throws {
        // Taken before: what is added after this moment changes the stamp, and is then not taken for written out.
        let stamp = try SystemCall.stamp(of: directory)
        let key = Key(device: stamp.device, inode: stamp.inode)
        if known.withLockedValue({ $0[key] == stamp }) { return }
        try write(directory)
        // A kernel's clock for such times ticks every few milliseconds: within a tick two changes have one time.
        guard try (now ?? SystemCall.now().seconds) - stamp.seconds >= 2 else { return }
        known.withLockedValue { known in
            if known.count >= Self.capacity { known = [:] }
            known[key] = stamp
        }
    }
}
