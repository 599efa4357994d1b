import NIOCore
import StoragesHTTP

/// Distinguishes the responses of an S3 server from those of what stands in between: proxies, firewalls, load
/// balancers, portals.
enum ResponseOrigin {
    /// The prefixes of headers that S3 servers send with every response, and that nothing else sends.
    private static let marks: [StaticString] = [
        "x-amz-", "x-amzn-", "x-goog-", "x-guploader-", "x-oss-", "x-cos-", "x-obs-", "x-minio-", "x-rgw-",
        "x-trans-id",
        "x-ibm-", "x-tos-", "x-bce-", "x-kss-", "x-nos-", "x-emc-", "x-ntap-", "x-hcp-",
    ]

    /// Returns whether there is a header that only an S3 server sends.
    static func isMarked(_ headers: HTTPHeaders) -> Bool {
        headers.fields.contains { field in
            // All marks begin so, and few other headers do.
            CanonicalHeaders.hasPrefix("x-", field.name)
                && marks.contains { CanonicalHeaders.hasPrefix($0, field.name) }
        }
    }

    /// Returns whether an error response is not the server's: a page, where S3 has a document.
    ///
    /// A response to HEAD has no body; there the content type that the page would have decides.
    static func isForeign(_ headers: HTTPHeaders, _ body: ByteBuffer, to method: HTTPRequest.Method) -> Bool {
        guard !isMarked(headers) else { return false }
        if isBlank(body) { return method == .head && isPage(headers) }
        let root = XMLReader.salvage(body, limits: .init(bytes: S3ErrorDocument.maxBytes, elements: 1000))?.name
        return root != "Error" && root != "ErrorResponse"
    }

    /// Returns whether a successful response is a page and not an object, judged by its headers alone.
    ///
    /// Pages may be objects, too; those have an entity tag or a date.
    static func isForeignSuccess(_ headers: HTTPHeaders) -> Bool {
        isPage(headers) && headers["ETag"] == nil && headers["Last-Modified"] == nil && !isMarked(headers)
    }

    private static func isPage(_ headers: HTTPHeaders) -> Bool {
        let type = headers["Content-Type"]?.lowercased() ?? ""
        return type.hasPrefix("text/html") || type.hasPrefix("application/xhtml")
    }

    static func isBlank(_ body: ByteBuffer) -> Bool {
        body.readableBytesView.allSatisfy(XMLReader.isWhiteSpace)
    }
}

extension S3Failure {
    /// A Boolean value that indicates whether the response has the status "not found", of an object or of the bucket.
    var isNotFound: Bool { status == 404 }

    /// A Boolean value that indicates whether there is no such bucket, which no other request changes.
    var isMissingBucket: Bool { code == .noSuchBucket }

    /// A Boolean value that indicates whether the object, or what else was asked for in the bucket, does not exist.
    var isMissingObject: Bool { isNotFound && !isMissingBucket }

    /// A Boolean value that indicates whether the server says that what was asked for does not exist: a status alone
    /// may be somebody else's.
    var saysMissing: Bool {
        isMissingObject && (code != nil || ResponseOrigin.isMarked(headers))
    }

    /// A Boolean value that indicates whether the status was one of success, but nothing that came with it says what
    /// was done.
    var isUnreadableSuccess: Bool {
        if case .document(_, _, .unreadable) = cause { true } else { false }
    }
}
