import Foundation
import Storages

/// A role that STS gives credentials for.
struct AssumedRole: Hashable, Sendable, SecretHolding {
    /// The role's ARN; services other than AWS take other texts.
    let arn: String
    /// Under which name the session is logged; `nil` for one made up of the time.
    let sessionName: String?
    /// The secret-like word that the role's owner agreed on with whoever takes the role.
    let externalID: String?
    /// How long the credentials shall last; `nil` for the role's own time.
    let durationSeconds: Int?

    /// What the settings are called where they come from, for messages.
    struct Names: Sendable {
        var arn: String
        var sessionName: String
        var duration: String

        /// Those of a profile.
        static let profile = Names(arn: "role_arn", sessionName: "role_session_name", duration: "duration_seconds")
        /// Those of the environment, which says nothing about the duration.
        static let environment = Names(arn: "AWS_ROLE_ARN", sessionName: "AWS_ROLE_SESSION_NAME", duration: "duration")
        /// Those of the options.
        static let option = Names(
            arn: "the option assumedRole.arn",
            sessionName: "the option assumedRole.sessionName",
            duration: "the option assumedRole.duration"
        )
    }

    /// Creates a role.
    ///
    /// - Throws: ``StorageError`` with code `invalidConfiguration` for what STS would refuse: an empty ARN, a session name
    ///   that is not 2 to 64 letters, digits and `_+=,.@-`, or a duration outside 900 to 43,200 seconds.
    init(
        arn: String,
        sessionName: String? = nil,
        externalID: String? = nil,
        durationSeconds: Int? = nil,
        names: Names = .profile
    ) throws {
        guard ServiceURL.isClean(arn) else {
            throw StorageError(
                .invalidConfiguration,
                "The role \(StorageError.quoted(arn)) is no ARN; correct \(names.arn)."
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
                        + "_+=,.@- only; correct \(names.sessionName)."
                )
            }
        }
        if let durationSeconds, !(900...43_200).contains(durationSeconds) {
            throw StorageError(
                .invalidConfiguration,
                "A role cannot be taken for \(durationSeconds) seconds: \(names.duration) must be 900 to 43200."
            )
        }
        self.arn = arn
        self.sessionName = sessionName
        self.externalID = externalID
        self.durationSeconds = durationSeconds
    }

    /// Takes the role that an option names.
    ///
    /// - Throws: ``StorageError`` with code `invalidConfiguration` that names the part of the option.
    init(_ option: S3AssumedRole) throws {
        try self.init(
            arn: option.arn,
            sessionName: option.sessionName,
            externalID: option.externalID,
            durationSeconds: option.duration.map { Int(clamping: $0.components.seconds) },
            names: .option
        )
    }

    /// Whether a byte may be in the names of roles and sessions.
    static func isNameByte(_ byte: UInt8) -> Bool {
        HostName.isAlphanumeric(byte) || "_+=,.@-".utf8.contains(byte)
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
