/// An attachment of a database that knows more about some errors than the server says.
package protocol DatabaseErrorExplainer: AnyObject, Sendable {
    /// Adds to an error what is known of it.
    ///
    /// - Parameter error: The error of a statement.
    /// - Returns: The error, or a better one; its code and SQLSTATE stay.
    func explain(_ error: DatabaseError) -> DatabaseError
}
