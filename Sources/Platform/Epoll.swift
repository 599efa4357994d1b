#if os(Linux)
    /// An epoll instance whose waits can be ended from another thread by an eventfd.
    ///
    /// Level-triggered. <https://man7.org/linux/man-pages/man7/epoll.7.html>
    package final class Epoll: Sendable {
        /// The events of a descriptor.
        package struct Events: OptionSet, Sendable {
            package let rawValue: UInt32

            package init(rawValue: UInt32) {
                self.rawValue = rawValue
            }

            package static let readable = Events(rawValue: EPOLLIN.rawValue)
            package static let writable = Events(rawValue: EPOLLOUT.rawValue)
            /// The other side sends nothing more.
            package static let peerClosed = Events(rawValue: EPOLLRDHUP.rawValue)
            /// Reported whether it is asked for or not.
            package static let closed = Events(rawValue: EPOLLHUP.rawValue)
            /// Reported whether it is asked for or not.
            package static let failed = Events(rawValue: EPOLLERR.rawValue)
        }

        private static let wakeToken = UInt64.max
        private static let batchSize = 64

        private let descriptor: Int32
        private let wakeup: Int32

        /// Creates the descriptors; `nil` when the system has none left.
        package init?() {
            descriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
            wakeup = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
            guard descriptor >= 0, wakeup >= 0, add(wakeup, for: .readable, token: Self.wakeToken) else {
                close()
                return nil
            }
        }

        /// Closes the descriptors.
        ///
        /// To be called once, when no thread uses the instance any more.
        package func close() {
            closeDescriptor(descriptor)
            closeDescriptor(wakeup)
        }

        /// Registers a descriptor.
        ///
        /// - Parameters:
        ///   - watched: The descriptor.
        ///   - events: The events to wait for.
        ///   - token: The value by which ``wait(milliseconds:_:)`` names it; not `UInt64.max`.
        /// - Returns: `false` when the system refuses, with `errno` as it set it.
        package func add(_ watched: Int32, for events: Events, token: UInt64) -> Bool {
            control(watched, operation: EPOLL_CTL_ADD, events: events, token: token)
        }

        /// Changes the events and the token of a descriptor that is registered; returns `false` when it is not.
        package func modify(_ watched: Int32, for events: Events, token: UInt64) -> Bool {
            control(watched, operation: EPOLL_CTL_MOD, events: events, token: token)
        }

        /// Removes a descriptor.
        ///
        /// One that is closed or not registered is no error.
        package func remove(_ watched: Int32) {
            _ = control(watched, operation: EPOLL_CTL_DEL, events: [], token: 0)
        }

        /// Waits until something happens, ``wake()`` is called, a signal arrives or the time is over.
        ///
        /// - Parameters:
        ///   - milliseconds: The longest time; negative: no limit.
        ///   - handle: Called for each descriptor at which something has happened, with its token and events.
        package func wait(milliseconds: Int32, _ handle: (_ token: UInt64, _ events: Events) -> Void) {
            withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: Self.batchSize) { buffer in
                let count = epoll_wait(descriptor, buffer.baseAddress, Int32(Self.batchSize), milliseconds)
                // A negative count is a signal, after which the caller waits again.
                for index in 0..<max(0, Int(count)) {
                    let event = buffer[index]
                    if event.data.u64 == Self.wakeToken {
                        var value: UInt64 = 0
                        _ = read(wakeup, &value, MemoryLayout<UInt64>.size)
                    } else {
                        handle(event.data.u64, Events(rawValue: event.events))
                    }
                }
            }
        }

        /// Ends a wait, or the next one.
        package func wake() {
            var one: UInt64 = 1
            _ = write(wakeup, &one, MemoryLayout<UInt64>.size)
        }

        private func control(_ watched: Int32, operation: Int32, events: Events, token: UInt64) -> Bool {
            var event = epoll_event()
            event.events = events.rawValue
            event.data.u64 = token
            return epoll_ctl(descriptor, operation, watched, &event) == 0
        }
    }
#endif
