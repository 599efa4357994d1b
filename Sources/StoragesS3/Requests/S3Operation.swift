import NIOCore

/// One request of the S3 API, before it is addressed, signed and sent, perhaps more than once.
struct S3Operation: Sendable {
    /// As in the reference of the API, such as `PutObject`.
    var name: String
    var method: HTTPRequest.Method
    /// The object; `nil` for the bucket itself.
    var key: String?
    var query: [(name: String, value: String)] = []
    /// The version of the object; `nil` for the current one.
    var version: String? {
        get { query.first { $0.name == "versionId" }?.value }
        set {
            query.removeAll { $0.name == "versionId" }
            if let newValue { query.append(("versionId", newValue)) }
        }
    }
    var headers = HTTPHeaders()
    var body = HTTPBody()
    /// Whether the body is signed over TLS too: documents are, files need not be.
    var signsBody = false
    /// The most time for an attempt; `nil` for transfers whose length is not bounded.
    var timeout: Duration? = .seconds(30)
    /// How long nothing may move; `nil` for what the client is configured with.
    var stallTimeout: Duration?
    /// The most bytes of an answer.
    var answerLimit = 8 << 20
    /// The moment after which no attempt begins; `nil` for what the client is configured with.
    var budget: Duration?

    init(_ name: String, _ method: HTTPRequest.Method, key: String? = nil) {
        self.name = name
        self.method = method
        self.key = key
    }
}
