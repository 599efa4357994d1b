import NIOConcurrencyHelpers

/// A pipe that no child inherits, and whose descriptors are closed at the latest when the last reference goes.
package final class CloseOnExecPipe: Sendable {
    /// The end to read from.
    package let reading: Int32
    private let end: NIOLockedValueBox<Int32>

    /// Creates a pipe.
    ///
    /// - Throws: ``ChildProcess/Failure``.
    package init() throws {
        var ends: [Int32] = [-1, -1]
        guard Self.open(&ends) == 0 else { throw ChildProcess.Failure.system("make a pipe", errno: errno) }
        reading = ends[0]
        end = NIOLockedValueBox(ends[1])
    }

    deinit {
        closeWriting()
        _ = close(reading)
    }

    #if !canImport(Darwin)
        private typealias Pipe2 = @convention(c) (UnsafeMutablePointer<Int32>, Int32) -> Int32
    #endif

    private static func open(_ ends: inout [Int32]) -> Int32 {
        #if !canImport(Darwin)
            // In one step: another thread may be starting a child. The C library shows it only with _GNU_SOURCE.
            if let symbol = dlsym(nil, "pipe2") {
                // The type is that of the declaration in unistd.h.
                let pipe2 = unsafeBitCast(symbol, to: Pipe2.self)
                return pipe2(&ends, O_CLOEXEC)
            }
        #endif
        let status = pipe(&ends)
        for end in ends where status == 0 { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return status
    }

    /// Writes a byte, which wakes a reader that waits for one.
    package func signal() {
        end.withLockedValue { end in
            var byte: UInt8 = 1
            if end >= 0 { _ = write(end, &byte, 1) }
        }
    }

    /// The end to write to; -1 once it is closed.
    package var writing: Int32 { end.withLockedValue { $0 } }

    /// Closes the end to write to, unless it is closed already.
    package func closeWriting() {
        end.withLockedValue { end in
            if end >= 0 { _ = close(end) }
            end = -1
        }
    }
}
