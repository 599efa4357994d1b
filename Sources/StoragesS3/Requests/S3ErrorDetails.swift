/// The details of a failed request from S3, or from the way to it: the ``StorageError/underlying`` of errors of
/// ``S3Storage``.
///
/// Holds no URL, no header and nothing else that could be a secret.
public struct S3ErrorDetails: Error, Sendable, CustomStringConvertible {
    /// The operation of the S3 API, such as `PutObject`.
    public var operation: String
    /// The bucket.
    public var bucket: String
    /// The key of the object, when the request was about one.
    public var key: String?
    /// The status code of the response; `nil` when none came.
    public var status: Int?
    /// The error code in the response, such as `SlowDown`; `nil` when there was none, as for every `HEAD`.
    ///
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>
    public var code: String?
    /// The message of the response, or of libcurl.
    public var message: String
    /// The id of the request, for the support of the service.
    public var requestID: String?
    /// The second id of the request, which Amazon S3 gives.
    public var hostID: String?
    /// The number of times that the request was sent.
    public var attempts: Int
    /// The result code of libcurl; `nil` when a response came.
    public var curlCode: Int?

    /// All details in one line.
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
