import Platform
internal import Synchronization

/// A file descriptor that is closed when the last reference to it goes, or before.
final class Descriptor: Sendable {
    /// The working directory, from which relative paths start.
    static let workingDirectory = Descriptor(AT_FDCWD)

    private let value: Atomic<Int32>

    init(_ number: Int32) {
        value = Atomic(number)
    }

    deinit {
        closeNow()
    }

    /// Calls `body` with the descriptor, which stays open meanwhile; -1 once it is closed, so that calls fail.
    func use<Result>(_ body: (Int32) throws -> Result) rethrows -> Result {
        // Without this the object could go, and the number be another file's, between its reading and the call.
        try withExtendedLifetime(self) { try body(value.load(ordering: .relaxed)) }
    }

    /// Closes it here and now: letting go of the last name of a large file takes time that only a pool thread has.
    func closeNow() {
        try? closeTelling()
    }

    /// The same, for what has been written: a file system across a network may only now say that there was no room.
    func closeTelling() throws {
        let number = value.exchange(-1, ordering: .relaxed)
        // Never repeated: when it was interrupted, the number is free all the same, and soon another file's.
        guard number < 0 || close(number) == 0 || errno == EINTR else { throw SystemCallError.last("close") }
    }
}
