/// Why the body of an answer with a status of success is no success.
enum UnusableDocument: Error, Sendable, CustomStringConvertible {
    /// The root is `Error`: the request failed after its status had been sent. To be judged by its code, as if the status
    /// were 500.
    case error(S3ErrorDocument)
    /// Empty, cut, not XML, or without what the answer is for: to be treated as status 500.
    case unreadable(String)

    var description: String {
        switch self {
        case .error(let document): document.description
        case .unreadable(let reason): reason
        }
    }
}
