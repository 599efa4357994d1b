import Foundation
import NIOCore
import Storages
import StoragesHTTP

/// The failure of an attempt, or in the end of the whole operation.
struct S3Failure: AmbiguousFailure, Sendable {
    enum Cause: Sendable {
        /// An error response.
        case response(status: Int, headers: HTTPHeaders, S3ErrorDocument)
        /// An error response of something between this machine and the server, or in the server's place: its status is
        /// not the server's word on anything.
        case foreign(status: Int, headers: HTTPHeaders)
        /// A response with a status of success whose body reports an error, or nothing.
        case document(status: Int, headers: HTTPHeaders, UnusableDocument)
        /// No response, or not a whole one.
        case transport(HTTPFailure)
        /// Bytes that do not match the checksum that the server has of them.
        case damaged(ChecksumAlgorithm)
    }

    var operation: String
    var method: HTTPRequest.Method
    /// A Boolean value that indicates whether a conflict with another conditional write is retried.
    var retriesConflicts: Bool
    var bucket: String
    var key: String?
    var cause: Cause
    /// The number of times that the request was sent.
    var attempts = 1
    /// A Boolean value that indicates whether an earlier attempt may have reached the server and done what was asked
    /// for.
    var mayHaveSucceededBefore = false

    init(_ operation: S3Operation, bucket: String, _ cause: Cause) {
        self.operation = operation.name
        method = operation.method
        retriesConflicts = operation.retriesConflicts
        self.bucket = bucket
        key = operation.key
        self.cause = cause
    }

    var status: Int? {
        switch cause {
        case .response(let status, _, _): status
        // The status was sent before the failure.
        case .document: 500
        case .foreign, .transport, .damaged: nil
        }
    }

    /// The status code of the response, also of one that a proxy sent.
    var respondedStatus: Int? {
        if case .foreign(let status, _) = cause { status } else { status }
    }

    /// The error code of the response; `nil` when it has none, as in a response to HEAD.
    var code: S3ErrorCode? { document?.code }

    var document: S3ErrorDocument? {
        switch cause {
        case .response(_, _, let document), .document(_, _, .error(let document)): document
        case .document, .foreign, .transport, .damaged: nil
        }
    }

    var headers: HTTPHeaders {
        switch cause {
        case .response(_, let headers, _), .document(_, let headers, _), .foreign(_, let headers): headers
        case .transport, .damaged: [:]
        }
    }

    /// A Boolean value that indicates whether the request may have been carried out although no response says so.
    var isAmbiguous: Bool {
        switch cause {
        case .transport(let failure): !failure.isUnsent
        case .document(_, _, .unreadable): true
        case .response(let status, _, _), .foreign(let status, _): status >= 500 && status != 501
        // A response with such a status would say as little about whether anything was done.
        case .document(_, _, .error(let document)): RetryVerdict.isServerFault(document.code)
        case .damaged: false
        }
    }

    var details: S3ErrorDetails {
        var details = S3ErrorDetails(
            operation: operation,
            bucket: bucket,
            key: key,
            status: nil,
            code: code?.rawValue,
            message: "",
            requestID: document?.requestID ?? headers["x-amz-request-id"].map { S3Document.printable($0, limit: 256) },
            hostID: document?.hostID ?? headers["x-amz-id-2"].map { S3Document.printable($0, limit: 256) },
            attempts: attempts,
            curlCode: nil
        )
        switch cause {
        case .response(let status, _, let document):
            details.status = status
            details.message = document.message ?? "the server says no more"
        case .document(let status, _, let problem):
            details.status = status
            details.message = problem.description
        case .foreign(let status, _):
            details.status = status
            details.message = "the response is a page, not a document of S3"
        case .transport(let failure):
            details.message = failure.message
            details.curlCode = failure.curlCode
        case .damaged(let algorithm):
            details.message = "the bytes do not match their \(algorithm)"
        }
        return details
    }
}
