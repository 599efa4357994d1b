import Foundation
import Storages
import StoragesHTTP

/// A role that STS gives credentials for.
struct AssumedRole: Hashable, Sendable, SecretHolding {
    /// The role's ARN; services other than AWS take other texts.
    let arn: String
    /// The name under which the session is logged; `nil` for one made up of the time.
    let sessionName: String?
    /// The external id that the role's owner and the users of the role agreed on.
    let externalID: String?
    /// The lifetime of the credentials in seconds; `nil` for the role's own.
    let durationSeconds: Int?

    /// The names of the settings where they come from, for messages.
    struct Names: Sendable {
        var arn: String
        var sessionName: String
        var duration: String

        /// The names in a profile.
        static let profile = Names(arn: "role_arn", sessionName: "role_session_name", duration: "duration_seconds")
        /// The names in the environment, which has none for the duration.
        static let environment = Names(arn: "AWS_ROLE_ARN", sessionName: "AWS_ROLE_SESSION_NAME", duration: "duration")
        /// The names of the options.
        static let option = Names(
            arn: "the option assumedRole.arn",
            sessionName: "the option assumedRole.sessionName",
            duration: "the option assumedRole.duration"
        )
    }

    /// Creates a role.
    ///
    /// - Throws: ``StorageError`` with code `invalidConfiguration` for what STS would refuse: an empty ARN, a session
    ///   name that is not 2 to 64 letters, digits and `_+=,.@-`, or a duration outside 900 to 43,200 seconds.
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
                    "The session name \(StorageError.quoted(sessionName)) of a role must have 2 to 64 letters, digits "
                        + "and _+=,.@- only; correct \(names.sessionName)."
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

    /// Creates the role that an option names.
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

    /// Returns whether a byte may be in the names of roles and sessions.
    static func isNameByte(_ byte: UInt8) -> Bool {
        HostName.isAlphanumeric(byte) || "_+=,.@-".utf8.contains(byte)
    }

    /// Returns the fields of a form that asks for the role.
    func fields(action: String, at date: Date) -> [(String, String)] {
        var fields = [
            ("Action", action), ("Version", "2011-06-15"), ("RoleArn", arn),
            ("RoleSessionName", sessionName ?? "stored-files-\(Int64(date.timeIntervalSince1970))"),
        ]
        if let durationSeconds { fields.append(("DurationSeconds", String(durationSeconds))) }
        return fields
    }
}
