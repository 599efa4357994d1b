/// A socket that has something to do.
struct SocketEvent {
    /// The token that the socket was registered under.
    ///
    /// Never a descriptor: those are reused as soon as they are closed.
    var token: UInt64
    var isReadable: Bool
    var isWritable: Bool
}

/// The part of the reactor that differs between operating systems: waiting for sockets, level-triggered.
///
/// The reactor calls all but `wait` under one lock, and only for the token that a descriptor is registered under.
protocol SocketPoller: Sendable {
    /// Watches a descriptor for input and hang-up; false when the system refuses.
    ///
    /// Takes the place of what is registered under the same number.
    func add(_ descriptor: Int32, token: UInt64) -> Bool
    /// Also watches for room to write, or stops doing so.
    func setWantsWrite(_ wantsWrite: Bool, descriptor: Int32, token: UInt64)
    /// Stops watching. The descriptor may be closed already, and then even be open as something that is not watched.
    func remove(_ descriptor: Int32)
    /// Waits until something is ready, `wake()` is called or the milliseconds are over; -1 waits without limit.
    func wait(milliseconds: Int32, into events: inout [SocketEvent])
    /// Ends a `wait` that is running, or the next one.
    func wake()
    /// Closes the descriptors of the poller itself. Nobody may be waiting.
    func close()
}
