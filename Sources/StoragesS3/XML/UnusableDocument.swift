/// The reason why the body of a response with a status of success is no success.
enum UnusableDocument: Error, Sendable, CustomStringConvertible {
    /// A document whose root is `Error`: the request failed after its status had been sent. It is judged by its error
    /// code, as if the status were 500.
    case error(S3ErrorDocument)
    /// A body that is empty, cut, not XML, or without the values of the response: it is treated as status 500.
    case unreadable(String)

    var description: String {
        switch self {
        case .error(let document): document.description
        case .unreadable(let reason): reason
        }
    }
}
