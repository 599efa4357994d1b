import Foundation
import NIOCore
import Storages
import StoragesHTTP

/// The JSON in which a process, a container's agent or the instance metadata give credentials, or the reason why not.
struct CredentialDocument: Decodable, SecretHolding {
    private enum CodingKeys: String, CodingKey {
        case version = "Version"
        case accessKeyID = "AccessKeyId"
        case secretAccessKey = "SecretAccessKey"
        case sessionToken = "SessionToken"
        case token = "Token"
        case expiration = "Expiration"
        case code = "Code"
        case message = "Message"
        case lowerCaseCode = "code"
        case lowerCaseMessage = "message"
    }

    let version: Int?
    private let accessKeyID: String?
    private let secretAccessKey: String?
    private let token: String?
    private let expiration: String?
    private let code: String?
    private let message: String?

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        func text(_ keys: CodingKeys...) throws -> String? {
            for key in keys {
                if let value = try container.decodeIfPresent(String.self, forKey: key) { return value }
            }
            return nil
        }
        version = try container.decodeIfPresent(Int.self, forKey: .version)
        accessKeyID = try text(.accessKeyID)
        secretAccessKey = try text(.secretAccessKey)
        token = try text(.token, .sessionToken)
        expiration = try text(.expiration)
        code = try text(.code, .lowerCaseCode)
        message = try text(.message, .lowerCaseMessage)
    }

    /// Reads a document, and wipes the bytes it was read from.
    ///
    /// - Throws: ``StorageError`` with code `unavailable`. The decoder's own error is left out: it may quote the text.
    static func read(wiping bytes: inout [UInt8], from source: String) throws -> CredentialDocument {
        var data = Data(bytes)
        defer {
            bytes.wipe()
            data.resetBytes(in: data.startIndex..<data.endIndex)
        }
        guard let document = try? JSONDecoder().decode(CredentialDocument.self, from: data) else {
            throw StorageError(.unavailable, "The response of \(source) is not a JSON object with credentials.")
        }
        return document
    }

    /// Reads the body of a response, and wipes it.
    static func read(wiping body: inout ByteBuffer, from source: String) throws -> CredentialDocument {
        var bytes = Array(body.readableBytesView)
        body.wipe()
        return try read(wiping: &bytes, from: source)
    }

    /// The error that the service reports, for a message; `nil` when it reports none.
    var complaint: String? {
        guard let code, code != "Success" else { return nil }
        guard let message, !message.isEmpty else { return StorageError.quoted(code) }
        return "\(StorageError.quoted(code)): \(StorageError.quoted(message))"
    }

    /// Returns the credentials in the document.
    ///
    /// - Throws: ``StorageError`` with code `unavailable` when the document reports an error, which services do under
    ///   status 200 too, or when something is missing.
    func credentials(from source: String) throws -> S3Credentials {
        if let complaint {
            throw StorageError(.unavailable, "No credentials from \(source): it responded \(complaint).")
        }
        var date: Date?
        if let expiration, !expiration.isEmpty {
            guard let parsed = ISO8601Timestamp.date(from: expiration) else {
                throw StorageError(
                    .unavailable,
                    "The credentials from \(source) end at a time that is not in the form of ISO 8601."
                )
            }
            date = parsed
        }
        return try S3Credentials(
            accessKeyID: accessKeyID,
            secretAccessKey: secretAccessKey,
            sessionToken: token,
            expiration: date,
            from: source,
            orThrow: .unavailable
        )
    }
}
