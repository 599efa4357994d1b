public import NIOCore

/// A value that can be bound to a parameter of a statement.
///
/// Values travel in PostgreSQL's binary format with an explicit type, so the server neither guesses nor parses.
public protocol DatabaseEncodable: Sendable {
    /// The type that the parameter is declared with.
    static var databaseType: DatabaseType { get }

    /// Writes the value in the binary format of ``databaseType``, without its length.
    ///
    /// - Parameter buffer: Where to write.
    /// - Throws: ``DatabaseError`` with code `.invalidArgument` when the type cannot hold the value.
    func encode(into buffer: inout ByteBuffer) throws
}
