#if os(Linux)
    import CLibCurl

    #if canImport(Glibc)
        import Glibc
    #elseif canImport(Musl)
        import Musl
    #endif

    /// The sockets that libcurl waits for, watched by epoll, with an eventfd to be woken by.
    ///
    /// curl_multi_perform asks the system about every socket each time that anything happens; this only tells libcurl
    /// of the sockets at which something has happened. It is level-triggered, as libcurl wants it (manual of
    /// curl_multi_socket_action).
    final class CurlSockets: Sendable {
        /// A socket that has something to do.
        struct Event {
            var socket: curl_socket_t
            /// Bits of `CURL_CSELECT_…`.
            var what: Int32
        }

        private static let wakeToken = UInt64.max
        private static let batch = 64

        private let epoll: Int32
        private let wakeup: Int32

        /// Creates the descriptors; `nil` when the system has none left.
        init?() {
            epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
            wakeup = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
            guard epoll >= 0, wakeup >= 0, control(EPOLL_CTL_ADD, wakeup, EPOLLIN.rawValue, Self.wakeToken) else {
                for descriptor in [epoll, wakeup] where descriptor >= 0 { close(descriptor) }
                return nil
            }
        }

        deinit {
            close(epoll)
            close(wakeup)
        }

        /// Watches a socket for what libcurl waits for there, one of `CURL_POLL_…`.
        func watch(_ socket: curl_socket_t, for what: Int32) {
            guard what != CURL_POLL_REMOVE else {
                // One that libcurl has closed is not watched any more.
                _ = control(EPOLL_CTL_DEL, socket, 0, 0)
                return
            }
            var events: UInt32 = 0
            if what & CURL_POLL_IN != 0 { events |= EPOLLIN.rawValue }
            if what & CURL_POLL_OUT != 0 { events |= EPOLLOUT.rawValue }
            let token = UInt64(UInt32(bitPattern: socket))
            // A descriptor may be another socket than before, of which nobody has said that it is gone.
            if !control(EPOLL_CTL_MOD, socket, events, token) { _ = control(EPOLL_CTL_ADD, socket, events, token) }
        }

        /// Waits until something happens, ``wake()`` is called or the milliseconds are over.
        func wait(milliseconds: Int32, into events: inout [Event]) {
            events.removeAll(keepingCapacity: true)
            withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: Self.batch) { buffer in
                let count = epoll_wait(epoll, buffer.baseAddress, Int32(Self.batch), milliseconds)
                // A negative count is a signal: the loop simply comes round again.
                for index in 0..<max(0, Int(count)) {
                    let event = buffer[index]
                    if event.data.u64 == Self.wakeToken {
                        var value: UInt64 = 0
                        _ = read(wakeup, &value, MemoryLayout<UInt64>.size)
                        continue
                    }
                    var what: Int32 = 0
                    if event.events & EPOLLIN.rawValue != 0 { what |= CURL_CSELECT_IN }
                    if event.events & EPOLLOUT.rawValue != 0 { what |= CURL_CSELECT_OUT }
                    if event.events & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0 { what |= CURL_CSELECT_ERR }
                    events.append(Event(socket: Int32(truncatingIfNeeded: event.data.u64), what: what))
                }
            }
        }

        /// Ends a wait, or the next one.
        func wake() {
            var one: UInt64 = 1
            _ = write(wakeup, &one, MemoryLayout<UInt64>.size)
        }

        private func control(_ operation: Int32, _ descriptor: Int32, _ events: UInt32, _ token: UInt64) -> Bool {
            var event = epoll_event()
            event.events = events
            event.data.u64 = token
            return epoll_ctl(epoll, operation, descriptor, &event) == 0
        }
    }
#endif
