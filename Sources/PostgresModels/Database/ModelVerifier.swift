/// An attachment of a database that has a say in whether a model can be used with it.
package protocol ModelVerifier: AnyObject, Sendable {
    /// Finds what is wrong with a model, one sentence each.
    ///
    /// - Parameters:
    ///   - model: The model.
    ///   - session: Where to look.
    /// - Returns: The problems, empty when there are none.
    /// - Throws: ``DatabaseError`` when it cannot be found out; `CancellationError`.
    func problems<M: Model>(of model: M.Type, in session: any DatabaseSession) async throws -> [String]
}

extension DatabaseAttachments {
    var verifiers: [any ModelVerifier] {
        objects.values.compactMap { $0 as? any ModelVerifier }
    }
}
