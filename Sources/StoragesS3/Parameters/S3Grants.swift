import StoragesHTTP

/// The permissions of named accounts and groups, instead of a ``S3CannedACL``.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html>
///
/// Each value is a list such as `id="79a5…", uri="http://acs.amazonaws.com/groups/global/AllUsers"`.
public struct S3Grants: Hashable, Sendable {
    /// The grantees who may read the object.
    public var read: String?
    /// The grantees who may read its permissions.
    public var readACP: String?
    /// The grantees who may change its permissions.
    public var writeACP: String?
    /// The grantees who have all permissions.
    public var fullControl: String?

    /// Creates permissions.
    ///
    /// - Parameters:
    ///   - read: The grantees who may read the object. Default: none.
    ///   - readACP: The grantees who may read its permissions. Default: none.
    ///   - writeACP: The grantees who may change its permissions. Default: none.
    ///   - fullControl: The grantees who have all permissions. Default: none.
    public init(
        read: String? = nil,
        readACP: String? = nil,
        writeACP: String? = nil,
        fullControl: String? = nil
    ) {
        self.read = read
        self.readACP = readACP
        self.writeACP = writeACP
        self.fullControl = fullControl
    }

    var headers: HTTPHeaders {
        var headers = HTTPHeaders()
        headers["x-amz-grant-read"] = read
        headers["x-amz-grant-read-acp"] = readACP
        headers["x-amz-grant-write-acp"] = writeACP
        headers["x-amz-grant-full-control"] = fullControl
        return headers
    }
}
