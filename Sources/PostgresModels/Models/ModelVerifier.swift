/// An attachment of a database that has a say in whether a model can be used with it.
public protocol ModelVerifier: AnyObject, Sendable {
    /// What is wrong with a model, one sentence each.
    ///
    /// - Parameter model: The model.
    /// - Returns: The problems, empty when there are none.
    func problems<M: Model>(of model: M.Type) -> [String]
}
