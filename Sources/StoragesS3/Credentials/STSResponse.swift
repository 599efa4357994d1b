import Foundation
import NIOCore
import Storages
import StoragesHTTP

/// A response of STS.
enum STSResponse: Hashable, Sendable {
    case credentials(S3Credentials)
    case failure(code: String, message: String)

    /// Reads the body of a response, whatever its status.
    ///
    /// - Throws: ``XMLError`` for what is no document; ``StorageError`` with code `unavailable` when there are neither
    ///   credentials nor an error.
    init(_ body: ByteBuffer) throws {
        let root = try XMLReader.read(body)
        func text(_ path: [String]) -> String? {
            guard path.first == root.name else { return nil }
            var element = root
            for name in path.dropFirst() {
                guard let child = element.first(name) else { return nil }
                element = child
            }
            return element.trimmedText
        }
        // AWS has the first form; some compatible services have S3's, the second.
        for path in [["ErrorResponse", "Error"], ["Error"]] {
            if let code = text(path + ["Code"]) {
                self = .failure(code: code, message: text(path + ["Message"]) ?? "")
                return
            }
        }
        for action in ["AssumeRole", "AssumeRoleWithWebIdentity"] {
            let path = ["\(action)Response", "\(action)Result", "Credentials"]
            guard let accessKeyID = text(path + ["AccessKeyId"]) else { continue }
            var expiration: Date?
            if let end = text(path + ["Expiration"]) {
                guard let date = ISO8601Timestamp.date(from: end) else {
                    throw StorageError(.unavailable, "The credentials from STS end at a time that cannot be read.")
                }
                expiration = date
            }
            self = .credentials(
                try S3Credentials(
                    accessKeyID: accessKeyID,
                    secretAccessKey: text(path + ["SecretAccessKey"]),
                    sessionToken: text(path + ["SessionToken"]),
                    expiration: expiration,
                    from: "STS",
                    orThrow: .unavailable
                )
            )
            return
        }
        throw StorageError(
            .unavailable,
            "STS responded with neither credentials nor an error; check that its URL is that of an STS."
        )
    }
}
