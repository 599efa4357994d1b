/// The action on a row when the row that it references is deleted.
public enum ReferenceAction: String, Sendable {
    /// The other row cannot be deleted.
    case restrict = "RESTRICT"
    /// It is deleted too.
    case cascade = "CASCADE"
    /// The reference becomes NULL.
    case setNull = "SET NULL"
}
