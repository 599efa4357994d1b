import CLibCurl
import Platform

#if os(Linux)
    /// Runs libcurl when something has happened, or when its timer has expired: the part of the loop that differs
    /// between systems.
    ///
    /// Here by curl_multi_socket_action, which costs as much as what has happened, however many transfers there are.
    ///
    /// <https://curl.se/libcurl/c/curl_multi_socket_action.html>
    //
    // @unchecked: all but `wake()`, which only uses the sockets' descriptor, is used by the loop's thread alone.
    final class CurlDriver: @unchecked Sendable {
        private let multi: UnsafeMutableRawPointer
        private let sockets: CurlSockets
        private var events: [CurlSockets.Event] = []
        /// The time at which libcurl wants to be called although nothing happens.
        private var timer: ContinuousClock.Instant?

        /// Takes over a multi handle, which must outlive this; `nil` when the system has no descriptors left.
        init?(_ multi: UnsafeMutableRawPointer) {
            guard let sockets = CurlSockets() else { return nil }
            self.multi = multi
            self.sockets = sockets
            let context = Unmanaged.passUnretained(self).toOpaque()
            guard
                stored_files_curl_multi_set_callbacks(multi, Self.socketCallback, Self.timerCallback, context)
                    == CURLM_OK
            else { return nil }
        }

        /// Calls libcurl for everything that is due.
        func perform() {
            var running: Int32 = 0
            for event in events { curl_multi_socket_action(multi, event.socket, event.what, &running) }
            events.removeAll(keepingCapacity: true)
            // The call may set a timer that has run out already: the loop comes round at once, with new commands in
            // between.
            if let timer, timer <= .now {
                self.timer = nil
                curl_multi_socket_action(multi, curl_socket_t(-1), 0, &running)
            }
        }

        /// Waits until something happens, but not longer than that.
        func wait(milliseconds: Int) {
            var longest = milliseconds
            if let timer {
                // Rounded up, so that it has run out by then.
                longest = min(longest, ContinuousClock.now.duration(to: timer).milliseconds)
            }
            sockets.wait(milliseconds: Int32(clamping: longest), into: &events)
        }

        /// Ends a wait; from any thread.
        func wake() {
            sockets.wake()
        }

        private static func from(_ context: UnsafeMutableRawPointer?) -> CurlDriver? {
            context.map { Unmanaged<CurlDriver>.fromOpaque($0).takeUnretainedValue() }
        }

        private static let socketCallback: stored_files_curl_socket_callback = { _, socket, what, context, _ in
            from(context)?.sockets.watch(socket, for: what)
            return 0
        }

        private static let timerCallback: stored_files_curl_timer_callback = { _, milliseconds, context in
            from(context)?.timer = milliseconds < 0 ? nil : .now + .milliseconds(milliseconds)
            return 0
        }
    }
#else
    /// Runs libcurl when something has happened, or when its timer has expired: the part of the loop that differs
    /// between systems.
    //
    // @unchecked: all but `wake()`, which curl_multi_wakeup allows on any thread, is used by the loop's thread alone.
    final class CurlDriver: @unchecked Sendable {
        private let multi: UnsafeMutableRawPointer

        /// Takes over a multi handle, which must outlive this.
        init?(_ multi: UnsafeMutableRawPointer) {
            self.multi = multi
        }

        /// Calls libcurl for everything that is due.
        func perform() {
            var running: Int32 = 0
            curl_multi_perform(multi, &running)
        }

        /// Waits until something happens, but not longer than that.
        func wait(milliseconds: Int) {
            // A timeout below 1 ms makes libcurl before 8.4 spin.
            curl_multi_poll(multi, nil, 0, Int32(clamping: max(1, milliseconds)), nil)
        }

        /// Ends a wait; from any thread.
        func wake() {
            curl_multi_wakeup(multi)
        }
    }
#endif
