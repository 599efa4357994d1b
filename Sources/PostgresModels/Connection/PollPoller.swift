import NIOConcurrencyHelpers
import Platform

/// poll(2), with a pipe to be woken by: for systems without epoll.
///
/// A wait costs O(watched descriptors); a pool has few.
final class PollPoller: SocketPoller {
    private struct Watch {
        var token: UInt64
        var wantsWrite: Bool
    }

    private let watches = NIOLockedValueBox<[Int32: Watch]>([:])
    private let wakeRead: Int32
    private let wakeWrite: Int32

    /// Creates a poller; `nil` when the system has no descriptors left.
    init?() {
        var ends: [Int32] = [-1, -1]
        #if canImport(Darwin)
            let status = pipe(&ends)
            for end in ends where status == 0 { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        #else
            // In one step: another thread may be starting a child. pipe2, which does that, too, is not imported.
            let status = socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends)
        #endif
        guard status == 0 else { return nil }
        for end in ends {
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        wakeRead = ends[0]
        wakeWrite = ends[1]
    }

    func add(_ descriptor: Int32, token: UInt64) -> Bool {
        watches.withLockedValue { $0[descriptor] = Watch(token: token, wantsWrite: false) }
        // The set of a wait that is running is fixed: it has to begin anew.
        wake()
        return true
    }

    func setWantsWrite(_ wantsWrite: Bool, descriptor: Int32, token: UInt64) {
        watches.withLockedValue { watches in
            if watches[descriptor]?.token == token { watches[descriptor]?.wantsWrite = wantsWrite }
        }
        wake()
    }

    func remove(_ descriptor: Int32) {
        _ = watches.withLockedValue { $0.removeValue(forKey: descriptor) }
        wake()
    }

    func wait(milliseconds: Int32, into events: inout [SocketEvent]) {
        events.removeAll(keepingCapacity: true)
        var descriptors = [pollfd(fd: wakeRead, events: Int16(POLLIN), revents: 0)]
        var tokens: [UInt64] = [0]
        watches.withLockedValue { watches in
            for (descriptor, watch) in watches {
                let wanted = Int16(POLLIN) | (watch.wantsWrite ? Int16(POLLOUT) : 0)
                descriptors.append(pollfd(fd: descriptor, events: wanted, revents: 0))
                tokens.append(watch.token)
            }
        }
        guard poll(&descriptors, nfds_t(descriptors.count), milliseconds) > 0 else { return }
        if descriptors[0].revents != 0 {
            var scratch: (UInt64, UInt64) = (0, 0)
            while read(wakeRead, &scratch, MemoryLayout.size(ofValue: scratch)) > 0 {}
        }
        for index in 1..<descriptors.count where descriptors[index].revents != 0 {
            let ready = descriptors[index].revents
            events.append(
                SocketEvent(
                    token: tokens[index],
                    isReadable: ready & ~Int16(POLLOUT) != 0,
                    isWritable: ready & Int16(POLLOUT) != 0
                )
            )
        }
    }

    func wake() {
        var one: UInt8 = 1
        _ = write(wakeWrite, &one, 1)
    }

    func close() {
        closeDescriptor(wakeRead)
        closeDescriptor(wakeWrite)
    }
}
