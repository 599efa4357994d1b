#if os(Linux)
    import Platform

    /// epoll, level-triggered, because PQconsumeInput reads once and cannot say that the socket is drained.
    final class EpollPoller: SocketPoller {
        private static let input: Epoll.Events = [.readable, .peerClosed]

        private let epoll: Epoll

        /// Creates a poller; `nil` when the system has no descriptors left.
        init?() {
            guard let epoll = Epoll() else { return nil }
            self.epoll = epoll
        }

        func add(_ descriptor: Int32, token: UInt64) -> Bool {
            if epoll.add(descriptor, for: Self.input, token: token) { return true }
            // A registration that nobody took back is taken over, with the new token.
            return errno == EEXIST && epoll.modify(descriptor, for: Self.input, token: token)
        }

        func setWantsWrite(_ wantsWrite: Bool, descriptor: Int32, token: UInt64) {
            let events = wantsWrite ? Self.input.union(.writable) : Self.input
            _ = epoll.modify(descriptor, for: events, token: token)
        }

        func remove(_ descriptor: Int32) {
            epoll.remove(descriptor)
        }

        func wait(milliseconds: Int32, into events: inout [SocketEvent]) {
            events.removeAll(keepingCapacity: true)
            epoll.wait(milliseconds: milliseconds) { token, found in
                let isWritable = found.contains(.writable)
                let isReadable = !found.subtracting(.writable).isEmpty
                events.append(SocketEvent(token: token, isReadable: isReadable, isWritable: isWritable))
            }
        }

        func wake() {
            epoll.wake()
        }

        func close() {
            epoll.close()
        }
    }
#endif
