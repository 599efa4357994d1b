import NIOCore
import StoragesHTTP

/// One request of the S3 API, before it is addressed, signed and sent, perhaps more than once.
struct S3Operation: Sendable {
    /// The name in the API reference, such as `PutObject`.
    var name: String
    var method: HTTPRequest.Method
    /// The key of the object; `nil` for the bucket itself.
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
    /// A Boolean value that indicates whether the body is signed over TLS, too: documents are, files need not be.
    var signsBody = false
    /// The most time for an attempt; `nil` for transfers whose length is not bounded.
    var timeout: Duration? = .seconds(30)
    /// The longest time that the transfer may stall; `nil` for what the client is configured with.
    var stallTimeout: Duration?
    /// A Boolean value that indicates whether the operation may be carried out twice, so that it is retried although an
    /// attempt may have succeeded.
    var isIdempotent = true
    /// A Boolean value that indicates whether a conflict with another conditional write is retried.
    ///
    /// Not for the completion of a multipart upload, after which all parts would have to be sent again.
    var retriesConflicts = false
    /// The most bytes of a response.
    var responseLimit = 8 << 20
    /// The time after which no attempt begins; `nil` for what the client is configured with.
    var budget: Duration?

    init(_ name: String, _ method: HTTPRequest.Method, key: String? = nil) {
        self.name = name
        self.method = method
        self.key = key
    }
}
