/// A model some of whose properties are more than a value in a column, and are described by a layer above this one:
/// a file, whose column only holds its name, or an image, which has two more columns for its size.
///
/// ``Model(_:)`` adds the conformance when a property needs it. It lives here, and says nothing about what a
/// description is, because a macro can only write conformances to protocols that its own declaration lists. Who needs
/// the descriptions asks for them by type:
///
/// ```swift
/// func store<M: FieldModel>(…) where M.Field == StoredField<M>
/// ```
public protocol FieldModel<Field>: Model {
    /// The description of a property.
    associatedtype Field: Sendable

    /// The descriptions, one for each such property.
    static var storedFields: [Field] { get }
}
