/// The objects that layers above attach to a database, found again by their type from every row and every session.
package struct DatabaseAttachments: Sendable {
    private(set) var objects: [ObjectIdentifier: any AnyObject & Sendable] = [:]

    /// Creates an empty collection.
    package init() {}

    /// Attaches an object, in place of another of its type.
    ///
    /// - Parameter object: The object.
    package mutating func set<Object: AnyObject & Sendable>(_ object: Object) {
        objects[ObjectIdentifier(Object.self)] = object
    }

    /// The object of a type.
    ///
    /// - Parameter type: The class.
    /// - Returns: The object, `nil` when there is none.
    package func get<Object: AnyObject & Sendable>(_ type: Object.Type) -> Object? {
        objects[ObjectIdentifier(type)] as? Object
    }

    /// Returns an error with what the layers above know of it beyond what the server reports.
    func explained(_ error: DatabaseError) -> DatabaseError {
        objects.values.compactMap { $0 as? any DatabaseErrorExplainer }.reduce(error) { $1.explain($0) }
    }
}
