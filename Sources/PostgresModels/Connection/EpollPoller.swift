#if os(Linux)
    internal import CLibPQ

    #if canImport(Glibc)
        import Glibc
    #elseif canImport(Musl)
        import Musl
    #endif

    /// epoll, with an eventfd to be woken by.
    ///
    /// Level-triggered, because PQconsumeInput reads once and cannot say that the socket is drained.
    final class EpollPoller: SocketPoller {
        private static let input = EPOLLIN.rawValue | EPOLLRDHUP.rawValue
        private static let wakeToken = UInt64.max
        private static let batch = 64

        private let epoll: Int32
        private let wakeup: Int32

        /// Creates a poller; `nil` when the system has no descriptors left.
        init?() {
            epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
            wakeup = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
            guard epoll >= 0, wakeup >= 0, control(EPOLL_CTL_ADD, wakeup, EPOLLIN.rawValue, Self.wakeToken) else {
                close()
                return nil
            }
        }

        func add(_ descriptor: Int32, token: UInt64) -> Bool {
            if control(EPOLL_CTL_ADD, descriptor, Self.input, token) { return true }
            // A registration that nobody took back is taken over, with the new token.
            return errno == EEXIST && control(EPOLL_CTL_MOD, descriptor, Self.input, token)
        }

        func setWantsWrite(_ wantsWrite: Bool, descriptor: Int32, token: UInt64) {
            let output = wantsWrite ? EPOLLOUT.rawValue : 0
            _ = control(EPOLL_CTL_MOD, descriptor, Self.input | output, token)
        }

        func remove(_ descriptor: Int32) {
            _ = control(EPOLL_CTL_DEL, descriptor, 0, 0)
        }

        func wait(milliseconds: Int32, into events: inout [SocketEvent]) {
            events.removeAll(keepingCapacity: true)
            withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: Self.batch) { buffer in
                let count = epoll_wait(epoll, buffer.baseAddress, Int32(Self.batch), milliseconds)
                // A negative count is a signal: the reactor simply comes round again.
                for index in 0..<max(0, Int(count)) {
                    let event = buffer[index]
                    if event.data.u64 == Self.wakeToken {
                        var value: UInt64 = 0
                        _ = read(wakeup, &value, MemoryLayout<UInt64>.size)
                        continue
                    }
                    let isWritable = event.events & EPOLLOUT.rawValue != 0
                    let isReadable = event.events & ~EPOLLOUT.rawValue != 0
                    events.append(SocketEvent(token: event.data.u64, isReadable: isReadable, isWritable: isWritable))
                }
            }
        }

        func wake() {
            var one: UInt64 = 1
            _ = write(wakeup, &one, MemoryLayout<UInt64>.size)
        }

        func close() {
            closeDescriptor(epoll)
            closeDescriptor(wakeup)
        }

        private func control(_ operation: Int32, _ descriptor: Int32, _ events: UInt32, _ token: UInt64) -> Bool {
            var event = epoll_event()
            event.events = events
            event.data.u64 = token
            return epoll_ctl(epoll, operation, descriptor, &event) == 0
        }
    }
#endif
