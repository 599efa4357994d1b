/// A statement ready to be sent: text with `$1`, `$2`, …, and the bound values.
public struct Statement: Sendable {
    /// The text.
    public let text: String

    package var parameters: QueryParameters

    /// A Boolean value that indicates whether it is worth preparing: the same text will come again.
    let isReused: Bool

    package init(text: String, parameters: QueryParameters = QueryParameters()) {
        self.init(text: text, parameters: parameters, isReused: true)
    }

    init(text: String, parameters: QueryParameters, isReused: Bool) {
        self.text = text
        self.parameters = parameters
        self.isReused = isReused
    }
}
