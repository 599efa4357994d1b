/// A column of a model.
public struct ModelColumn: Sendable {
    /// The column's name.
    public let name: String

    /// The type that the model binds and expects.
    public let type: ColumnType

    /// A Boolean value that indicates whether the model accepts NULL.
    public let isOptional: Bool

    /// The property that the column belongs to; the columns of one property share its key path.
    package let keyPath: (any AnyKeyPath & Sendable)?

    /// Describes the column of a property that is a value.
    ///
    /// - Parameters:
    ///   - name: The column's name.
    ///   - keyPath: The property.
    public init<M, Value: DatabaseEncodable>(_ name: String, _ keyPath: any KeyPath<M, Value> & Sendable) {
        self.init(name, type: ColumnType(Value.databaseType), isOptional: false, keyPath: keyPath)
    }

    /// Describes the column of a property that may be NULL.
    ///
    /// - Parameters:
    ///   - name: The column's name.
    ///   - keyPath: The property.
    public init<M, Value: DatabaseEncodable>(_ name: String, _ keyPath: any KeyPath<M, Value?> & Sendable) {
        self.init(name, type: ColumnType(Value.databaseType), isOptional: true, keyPath: keyPath)
    }

    /// Describes a column.
    ///
    /// - Parameters:
    ///   - name: The column's name.
    ///   - type: Its type.
    ///   - isOptional: Whether the model accepts NULL. Default: no.
    ///   - keyPath: The property that the column belongs to. Default: none.
    public init(_ name: String, type: ColumnType, isOptional: Bool = false, keyPath: (any AnyKeyPath & Sendable)? = nil)
    {
        self.name = name
        self.type = type
        self.isOptional = isOptional
        self.keyPath = keyPath
    }

    func belongs(to property: AnyKeyPath) -> Bool {
        (keyPath as AnyKeyPath?) == property
    }
}
