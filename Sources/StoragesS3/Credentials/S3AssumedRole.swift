import StoragesHTTP

/// A role that STS issues temporary credentials for; those of the storage have to be allowed to assume it.
///
/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>
///
/// ```swift
/// var options = S3Options()
/// options.assumedRole = S3AssumedRole(arn: "arn:aws:iam::123456789012:role/media", duration: .seconds(3600))
/// ```
///
/// Neither its description nor `dump` shows the external id.
public struct S3AssumedRole: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    /// The role's ARN; services other than Amazon's take other texts.
    public var arn: String
    /// The name under which the session is logged: 2 to 64 letters, digits and `_+=,.@-`.
    ///
    /// Default: one made up of the time.
    public var sessionName: String?
    /// The external id that the role's owner and the users of the role agreed on.
    ///
    /// Default: none.
    public var externalID: String?
    /// The lifetime of the credentials, in whole seconds: 15 minutes to 12 hours, and no longer than the role allows.
    ///
    /// They are replaced in time. Default: the service's, which is one hour.
    public var duration: Duration?

    /// Creates a role; what the service would refuse is refused when the storage is made.
    ///
    /// - Parameters:
    ///   - arn: The role's ARN.
    ///   - sessionName: The name under which the session is logged. Default: one made up of the time.
    ///   - externalID: The external id that the role's owner asks for. Default: none.
    ///   - duration: The lifetime of the credentials. Default: the service's, which is one hour.
    public init(arn: String, sessionName: String? = nil, externalID: String? = nil, duration: Duration? = nil) {
        self.arn = arn
        self.sessionName = sessionName
        self.externalID = externalID
        self.duration = duration
    }

    /// The ARN, without the external id.
    public var description: String { "S3AssumedRole(\(arn))" }
    /// As ``description``.
    public var debugDescription: String { description }
    /// A mirror without the external id.
    public var customMirror: Mirror {
        Mirror(
            self,
            children: [
                "arn": arn, "sessionName": sessionName as Any, "externalID": externalID.masked,
                "duration": duration as Any,
            ]
        )
    }
}
