#if os(Linux)
    import CLibCurl
    import Platform

    /// The sockets that libcurl waits for, watched by epoll.
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

        private let epoll: Epoll

        /// Creates the descriptors; `nil` when the system has none left.
        init?() {
            guard let epoll = Epoll() else { return nil }
            self.epoll = epoll
        }

        deinit {
            epoll.close()
        }

        /// Watches a socket for what libcurl waits for there, one of `CURL_POLL_…`.
        func watch(_ socket: curl_socket_t, for what: Int32) {
            // One that libcurl has closed is not watched any more.
            guard what != CURL_POLL_REMOVE else { return epoll.remove(socket) }
            var events: Epoll.Events = []
            if what & CURL_POLL_IN != 0 { events.insert(.readable) }
            if what & CURL_POLL_OUT != 0 { events.insert(.writable) }
            let token = UInt64(UInt32(bitPattern: socket))
            // A descriptor may be another socket than before, of which nobody has said that it is gone.
            if !epoll.modify(socket, for: events, token: token) { _ = epoll.add(socket, for: events, token: token) }
        }

        /// Waits until something happens, ``wake()`` is called or the milliseconds are over.
        func wait(milliseconds: Int32, into events: inout [Event]) {
            events.removeAll(keepingCapacity: true)
            epoll.wait(milliseconds: milliseconds) { token, found in
                var what: Int32 = 0
                if found.contains(.readable) { what |= CURL_CSELECT_IN }
                if found.contains(.writable) { what |= CURL_CSELECT_OUT }
                if !found.isDisjoint(with: [.failed, .closed]) { what |= CURL_CSELECT_ERR }
                events.append(Event(socket: Int32(truncatingIfNeeded: token), what: what))
            }
        }

        /// Ends a wait, or the next one.
        func wake() {
            epoll.wake()
        }
    }
#endif
