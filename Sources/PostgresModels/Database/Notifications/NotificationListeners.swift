import NIOConcurrencyHelpers

/// The iterations over notifications of one database, which end when it is closed.
final class NotificationListeners: Sendable {
    private struct State {
        var isClosed = false
        var listeners: [ObjectIdentifier: NotificationListener] = [:]
    }

    private let state = NIOLockedValueBox(State())

    /// The number of connections that listen.
    var connectionCount: Int {
        state.withLockedValue { Array($0.listeners.values) }.count { $0.isConnected }
    }

    /// Adds a listener; returns `false` when the database is closed.
    func add(_ listener: NotificationListener) -> Bool {
        state.withLockedValue { state in
            guard !state.isClosed else { return false }
            state.listeners[ObjectIdentifier(listener)] = listener
            return true
        }
    }

    func remove(_ listener: NotificationListener) {
        _ = state.withLockedValue { $0.listeners.removeValue(forKey: ObjectIdentifier(listener)) }
    }

    func close() {
        let listeners = state.withLockedValue { state in
            state.isClosed = true
            return Array(state.listeners.values)
        }
        for listener in listeners { listener.stop() }
    }
}
