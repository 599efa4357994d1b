import Foundation
import Storages

/// A role that STS gives credentials for.
struct AssumedRole: Hashable, Sendable {
    /// The role's ARN; services other than AWS take other texts.
    let arn: String
    /// Under which name the session is logged; `nil` for one made up of the time.
    let sessionName: String?
    /// The secret-like word that the role's owner agreed on with whoever takes the role.
    let externalID: String?
    /// How long the credentials shall last; `nil` for the role's own time.
    let durationSeconds: Int?

    /// Creates a role.
    ///
    /// - Throws: ``StorageError`` with code `invalidConfiguration` for what STS would refuse: an empty ARN, a session name
    ///   that is not 2 to 64 letters, digits and `_+=,.@-`, or a duration outside 900 to 43,200 seconds.
    init(arn: String, sessionName: String? = nil, externalID: String? = nil, durationSeconds: Int? = nil) throws {
        guard ServiceURL.isClean(arn) else {
            throw StorageError(
                .invalidConfiguration,
                "The role \(StorageError.quoted(arn)) is no ARN; correct role_arn."
            )
        }
        if let sessionName {
            let isValid =
                (2...64).contains(sessionName.utf8.count)
                && sessionName.utf8.allSatisfy(AssumedRole.isNameByte)
            guard isValid else {
                throw StorageError(
                    .invalidConfiguration,
                    "The session name \(StorageError.quoted(sessionName)) of a role must have 2 to 64 letters, digits and "
                        + "_+=,.@- only; correct role_session_name."
                )
            }
        }
        if let durationSeconds, !(900...43_200).contains(durationSeconds) {
            throw StorageError(
                .invalidConfiguration,
                "A role cannot be taken for \(durationSeconds) seconds: duration_seconds must be 900 to 43200."
            )
        }
        self.arn = arn
        self.sessionName = sessionName
        self.externalID = externalID
        self.durationSeconds = durationSeconds
    }

    /// Whether a byte may be in the names of roles and sessions.
    static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default:
            "_+=,.@-".utf8.contains(byte)
        }
    }

    /// The fields of a form that asks for the role.
    func fields(action: String, at date: Date) -> [(String, String)] {
        var fields = [
            ("Action", action), ("Version", "2011-06-15"), ("RoleArn", arn),
            ("RoleSessionName", sessionName ?? "stored-files-\(Int64(date.timeIntervalSince1970))"),
        ]
        if let durationSeconds { fields.append(("DurationSeconds", String(durationSeconds))) }
        return fields
    }
}
