import Foundation
import NIOCore

/// The contents of an error response; everything is missing when the body is HTML, JSON, cut too early or not there.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>
///
/// What could help to forge a signature, such as the string that the server signed, is not kept.
struct S3ErrorDocument: Hashable, Sendable, CustomStringConvertible {
    /// The most bytes of a body that are read.
    static let maxBytes = 64 << 10

    var code: S3ErrorCode?
    /// The message, in one line.
    var message: String?
    var requestID: String?
    var hostID: String?
    /// The region that the bucket is in; not checked.
    var region: String?
    /// The host to be used instead; not checked.
    var endpoint: String?
    var serverTime: Date?

    init() {}

    /// Reads a body; never fails.
    init(_ body: ByteBuffer) {
        guard let root = XMLReader.salvage(body, limits: .init(bytes: S3ErrorDocument.maxBytes, elements: 1000)) else {
            self.init()
            return
        }
        self.init(root)
    }

    /// Reads an `Error`, or what STS wraps around it.
    init(_ root: XMLElement) {
        guard let error = root.name == "Error" ? root : root.name == "ErrorResponse" ? root.first("Error") : nil else {
            return
        }
        func line(_ name: String, limit: Int = 256) -> String? {
            error.string(name).map { S3Document.printable($0, limit: limit) }
        }
        code = error.string("Code").flatMap { S3ErrorCode(rawValue: $0) }
        message = line("Message", limit: 500)
        requestID = line("RequestId") ?? root.string("RequestId").map { S3Document.printable($0, limit: 256) }
        hostID = line("HostId")
        region = line("Region")
        endpoint = line("Endpoint")
        serverTime = error.date("ServerTime")
    }

    /// The code and the message.
    var description: String {
        switch (code, message) {
        case (let code?, let message?): "\(code): \(message)"
        case (let code?, nil): code.rawValue
        case (nil, let message?): message
        case (nil, nil): "The server says no more."
        }
    }
}
