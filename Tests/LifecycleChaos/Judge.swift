import StoredFiles

/// A judge of the errors that a process has to expect in a run; any other is a failure.
struct Judge: Sendable {
    let upheaval: Flag

    /// The number of the upheaval, to be taken before something is tried.
    func glance() -> Int { upheaval.number }

    /// Returns what happened, or `nil` when it must not.
    func judge(_ error: any Error, since glance: Int, _ allowed: Set<Happening> = []) -> Happening? {
        let now = upheaval.number
        return Self.judge(error, isUpheaval: glance % 2 == 1 || now != glance, allowed)
    }

    static func judge(_ error: any Error, isUpheaval: Bool, _ allowed: Set<Happening> = []) -> Happening? {
        switch error {
        case let error as DatabaseError: judge(error, isUpheaval, allowed)
        case let error as StorageError: judge(error, isUpheaval, allowed)
        case let error as MigrationError: judge(error, isUpheaval)
        case is CancellationError where allowed.contains(.cancel): .cancel
        default: nil
        }
    }

    private static func judge(
        _ error: DatabaseError,
        _ isUpheaval: Bool,
        _ allowed: Set<Happening> = []
    ) -> Happening? {
        switch error.code {
        case .serializationFailure: return .serializationFailure
        case .deadlock: return .deadlock
        case .staleStatement: return .staleStatement
        case .connectionLost, .connectionFailed: return .connectionLost
        case .outcomeUnknown: return .outcomeUnknown
        case .lockTimeout: return .lockTimeout
        case .poolTimeout where (error.underlying as? DatabaseError)?.code == .connectionFailed: return .connectionLost
        case .objectInUse where error.message.contains("was given up and is being deleted"): return .objectInUse
        // A row that was read a moment ago, or a name that is moved, may be in two places.
        case .uniqueViolation where error.constraint?.hasSuffix("_names_one_row") == true: return .uniqueViolation
        // A row that was read a moment ago is gone, or the folder that it was in.
        case .notFound: return .missing
        case .foreignKeyViolation where error.table == "letters": return .missing
        // Somebody else has ended the prepared transaction, or is about to.
        case .undefinedObject where allowed.contains(.prepared) && error.sqlState == "42704": return .missing
        case .objectInUse where allowed.contains(.prepared) && error.message.contains("is busy"): return .missing
        case .invalidState where allowed.contains(.prepared) && error.message.contains("is busy"): return .missing
        default: break
        }
        guard isUpheaval, let state = error.sqlState else { return nil }
        switch state {
        // No such table, column, partition; a guarded table; an index that went meanwhile.
        case "42P01", "42703", "23514", guarded, "42704", "55000": return .otherUpheaval
        // A table went between two looks at the system's catalogue.
        case "XX000" where error.message.contains(#/could not open relation with OID|cache lookup failed/#):
            return .otherUpheaval
        // The number of a table that went between a look at the catalogue and its use.
        case "42601" where error.message.contains(#/syntax error at or near "[0-9]+"/#): return .otherUpheaval
        default: return nil
        }
    }

    /// The SQLSTATE of the trigger on a table that nobody may write to.
    static let guarded = "CH001"

    private static func judge(_ error: StorageError, _ isUpheaval: Bool, _ allowed: Set<Happening>) -> Happening? {
        if error.message.contains(UnreliableStorage.mark) { return .storageFailure }
        if let cause = error.underlying as? DatabaseError { return judge(cause, isUpheaval) }
        if error.code == .expired { return .expired }
        if error.code == .timeout, error.message.contains("did not delete the files") { return .storageFailure }
        if error.code == .notFound, allowed.contains(.missing) { return .missing }
        return nil
    }

    private static func judge(_ error: MigrationError, _ isUpheaval: Bool) -> Happening? {
        switch error.code {
        case .failed: (error.underlying as? DatabaseError).flatMap { judge($0, isUpheaval) }
        case .lockLost, .outcomeUnknown: .connectionLost
        default: nil
        }
    }
}
