import Foundation
import NIOCore
import Storages

/// Reads the answers of STS, which are XML.
protocol STSResponseParsing: Sendable {
    /// Reads the body of an answer, whatever its status.
    ///
    /// - Throws: Any error for a body that is neither a set of credentials nor an error.
    func parse(_ body: ByteBuffer) throws -> STSAnswer
}

/// What STS answered.
enum STSAnswer: Hashable, Sendable {
    case credentials(S3Credentials)
    case failure(code: String, message: String)

    /// Puts an answer together from the texts in a document.
    ///
    /// - Parameter text: Gives the text of the element at a path of local names from the root on; `nil` when there is none.
    /// - Throws: ``StorageError`` with code `unavailable` when there are neither credentials nor an error.
    init(reading text: (_ path: [String]) throws -> String?) throws {
        // AWS has the first form; some compatible services have S3's, the second.
        for path in [["ErrorResponse", "Error"], ["Error"]] {
            if let code = try text(path + ["Code"]) {
                self = .failure(code: code, message: try text(path + ["Message"]) ?? "")
                return
            }
        }
        for action in ["AssumeRole", "AssumeRoleWithWebIdentity"] {
            let path = ["\(action)Response", "\(action)Result", "Credentials"]
            guard let accessKeyID = try text(path + ["AccessKeyId"]) else { continue }
            var expiration: Date?
            if let end = try text(path + ["Expiration"]) {
                guard let date = S3Credentials.expiration(from: end) else {
                    throw StorageError(.unavailable, "The credentials from STS end at a time that cannot be read.")
                }
                expiration = date
            }
            self = .credentials(
                try S3Credentials(
                    accessKeyID: accessKeyID,
                    secretAccessKey: try text(path + ["SecretAccessKey"]),
                    sessionToken: try text(path + ["SessionToken"]),
                    expiration: expiration,
                    from: "STS",
                    orThrow: .unavailable
                )
            )
            return
        }
        throw StorageError(
            .unavailable,
            "STS answered with neither credentials nor an error; check that its URL is that of an STS."
        )
    }
}
