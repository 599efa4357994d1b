/// The isolation level: how much a transaction sees of others (PostgreSQL manual, 13.2).
public enum TransactionIsolation: String, Hashable, Sendable {
    /// Each statement sees what is committed when it begins.
    case readCommitted = "READ COMMITTED"
    /// All statements see what was committed when the first began.
    case repeatableRead = "REPEATABLE READ"
    /// As if transactions ran one after another; conflicts fail with ``DatabaseError/Code/serializationFailure``.
    case serializable = "SERIALIZABLE"
}
