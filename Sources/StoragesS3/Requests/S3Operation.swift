import NIOCore
import StoragesHTTP

/// One request of the S3 API, before it is addressed, signed and sent, perhaps more than once.
///
/// ```swift
/// let operation = S3Operation("PutObject", .put, key: name.string)
///     .headers(creationHeaders)
///     .header("If-None-Match", "*")
///     .body(body)
///     .timeout(nil)
///     .retryingConflicts()
/// ```
struct S3Operation: Sendable {
    /// The name in the API reference, such as `PutObject`.
    ///
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html>
    var name: String
    var method: HTTPRequest.Method
    /// The key of the object; `nil` for the bucket itself.
    var key: String?
    var query: [(name: String, value: String)] = []
    var headers = HTTPHeaders()
    var body = HTTPBody()
    /// A Boolean value that indicates whether the body is signed over TLS, too: documents are, files need not be.
    var signsBody = false
    /// The most time for an attempt; `nil` for transfers whose length is not bounded.
    var timeout: Duration? = TimeLimit.shortRequest
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

    /// The time limits of requests that differ from those of the client.
    enum TimeLimit {
        /// The limit for an attempt whose body and response are short.
        static let shortRequest = Duration.seconds(30)
        /// The longest stall while a server copies an object, deletes a thousand, or assembles the parts of an upload
        /// before it responds.
        static let serverWork = Duration.seconds(600)
        /// The time after which a multipart upload is not completed again: its parts are paid for, so it is longer than
        /// that of other requests.
        static let completion = Duration.seconds(900)
        /// The time after which a multipart upload that failed is not aborted again.
        static let abort = Duration.seconds(30)
    }
}

// MARK: Building

extension S3Operation {
    /// Adds a header; `nil` adds nothing.
    consuming func header(_ name: String, _ value: String?) -> S3Operation {
        if let value { headers.append(name, value) }
        return self
    }

    /// Adds a header; `nil` adds nothing.
    consuming func header(_ field: HTTPHeaders.Field?) -> S3Operation {
        if let field { headers.append(field.name, field.value) }
        return self
    }

    /// Adds headers, after those that are there.
    consuming func headers(_ more: HTTPHeaders) -> S3Operation {
        headers.append(contentsOf: more)
        return self
    }

    /// Adds a query parameter; `nil` adds nothing.
    ///
    /// - Parameters:
    ///   - name: The name.
    ///   - value: The value. Default: empty, as of the parameters that choose a subresource.
    consuming func query(_ name: String, _ value: String? = "") -> S3Operation {
        if let value { query.append((name, value)) }
        return self
    }

    /// Chooses a version of the object; `nil` stands for the current one.
    consuming func version(_ id: String?) -> S3Operation {
        query("versionId", id)
    }

    /// Sets the bytes of the body.
    consuming func body(_ body: HTTPBody) -> S3Operation {
        self.body = body
        return self
    }

    /// Sets an XML document as the body, which is signed whatever the settings.
    consuming func document(_ document: ByteBuffer) -> S3Operation {
        body = HTTPBody(document)
        signsBody = true
        return header("Content-Type", "application/xml")
    }

    /// Sets the time limits of an attempt.
    ///
    /// - Parameters:
    ///   - timeout: The most time; `nil` for transfers whose length is not bounded.
    ///   - stall: The longest time that the transfer may stall. Default: as the client is configured.
    consuming func timeout(_ timeout: Duration?, stall: Duration? = nil) -> S3Operation {
        self.timeout = timeout
        stallTimeout = stall
        return self
    }

    /// Sets the time after which no attempt begins; `nil` for that of the client.
    consuming func budget(_ budget: Duration?) -> S3Operation {
        self.budget = budget
        return self
    }

    /// Retries a conflict with another conditional write.
    consuming func retryingConflicts() -> S3Operation {
        retriesConflicts = true
        return self
    }
}
