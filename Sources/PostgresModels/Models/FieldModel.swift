/// A model some of whose properties a layer above describes further, such as files.
///
/// `@Model` adds the conformance to a struct that has such properties; the list is of the layer's own type.
public protocol FieldModel<Field>: Model {
    /// What the layer above says of one property.
    associatedtype Field: Sendable

    /// The descriptions, in any order.
    static var storedFields: [Field] { get }
}
