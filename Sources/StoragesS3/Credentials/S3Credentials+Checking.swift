import Foundation
import Storages

extension S3Credentials {
    /// Creates credentials, and checks that they can be signed with and sent.
    ///
    /// - Parameters:
    ///   - accessKeyID: Visible ASCII; it goes into a header.
    ///   - secretAccessKey: Without control characters, and without space at its ends.
    ///   - sessionToken: Visible ASCII. Empty counts as none.
    ///   - expiration: The date at which the credentials expire; `nil` for never.
    ///   - source: The source of the credentials, for messages.
    ///   - code: The code of the error.
    /// - Throws: ``StorageError`` with that code, for half a pair too.
    init(
        accessKeyID: String?,
        secretAccessKey: String?,
        sessionToken: String?,
        expiration: Date?,
        from source: String,
        orThrow code: StorageError.Code = .invalidConfiguration
    ) throws {
        guard let accessKeyID, !accessKeyID.isEmpty else {
            throw StorageError(
                code,
                "The credentials from \(source) have no access key ID; they need it and a secret access key."
            )
        }
        guard let secretAccessKey, !secretAccessKey.isEmpty else {
            throw StorageError(
                code,
                "The credentials from \(source) have no secret access key; they need it and an access key ID."
            )
        }
        let token = sessionToken.flatMap { $0.isEmpty ? nil : $0 }
        func isVisible(_ text: String) -> Bool { text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F } }
        func failure(_ part: String) -> StorageError {
            StorageError(
                code,
                "The \(part) from \(source) has a space, a line break or another character that cannot be in one; "
                    + "look for what was copied along."
            )
        }
        guard isVisible(accessKeyID) else { throw failure("access key ID") }
        guard secretAccessKey.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }),
            secretAccessKey.first != " ", secretAccessKey.last != " "
        else { throw failure("secret access key") }
        guard token.map(isVisible) ?? true else { throw failure("session token") }
        self.init(
            accessKeyID: accessKeyID,
            secretAccessKey: secretAccessKey,
            sessionToken: token,
            expiration: expiration
        )
    }
}
