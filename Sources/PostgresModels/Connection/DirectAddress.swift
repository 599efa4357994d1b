/// A connection string within a configuration, which is never printed with it: it may hold a password.
struct DirectAddress: Sendable, CustomStringConvertible, CustomReflectable {
    var address: String?

    var description: String {
        address == nil ? "nil" : "(not shown)"
    }

    var customMirror: Mirror {
        Mirror(self, children: [])
    }
}
