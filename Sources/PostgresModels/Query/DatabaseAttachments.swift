/// The objects that layers above attach to a database, found again by their type from every row and every session.
public struct DatabaseAttachments: Sendable {
    private(set) var objects: [ObjectIdentifier: any AnyObject & Sendable] = [:]

    /// Nothing.
    public init() {}

    /// Hangs an object onto the database, in place of another of its type.
    ///
    /// - Parameter object: The object.
    public mutating func set<Object: AnyObject & Sendable>(_ object: Object) {
        objects[ObjectIdentifier(Object.self)] = object
    }

    /// The object of a type.
    ///
    /// - Parameter type: The class.
    /// - Returns: The object, `nil` when there is none.
    public func get<Object: AnyObject & Sendable>(_ type: Object.Type) -> Object? {
        objects[ObjectIdentifier(type)] as? Object
    }

    /// An error in the words of the layers above, where they know more than the server says.
    func explained(_ error: DatabaseError) -> DatabaseError {
        objects.values.compactMap { $0 as? any DatabaseErrorExplainer }.reduce(error) { $1.explain($0) }
    }
}
