/// What S3, or the way to it, said about a request that failed: the ``StorageError/underlying`` of errors of ``S3Storage``.
///
/// Holds no URL, no header and nothing else that could be a secret.
public struct S3ErrorDetails: Error, Sendable, CustomStringConvertible {
    /// The request of the S3 API, such as `PutObject`.
    public var operation: String
    /// The bucket.
    public var bucket: String
    /// The key of the object, when the request was about one.
    public var key: String?
    /// The status of the answer; `nil` when none came.
    public var status: Int?
    /// The code in the answer, such as `SlowDown`; `nil` when there was none, as for every `HEAD`.
    public var code: String?
    /// What the answer, or libcurl, said.
    public var message: String
    /// The id that the service gave the request, for its support.
    public var requestID: String?
    /// The second id that Amazon S3 gives.
    public var hostID: String?
    /// How often the request was sent.
    public var attempts: Int
    /// The result code of libcurl; `nil` when an answer came.
    public var curlCode: Int?

    /// Everything that is known, in one line.
    public var description: String {
        var text = "\(operation) of bucket \(bucket)"
        if let status { text += ", status \(status)" }
        if let code { text += " \(code)" }
        text += ": \(message)"
        if attempts > 1 { text += " [attempts: \(attempts)]" }
        if let requestID { text += " [request: \(requestID)]" }
        if let hostID { text += " [host: \(hostID)]" }
        return text
    }
}
