/// A statement ready to be sent: text with `$1`, `$2`, …, and the bound values.
public struct Statement: Sendable {
    /// The text.
    public let text: String

    package var parameters: QueryParameters

    package init(text: String, parameters: QueryParameters = QueryParameters()) {
        self.text = text
        self.parameters = parameters
    }
}
