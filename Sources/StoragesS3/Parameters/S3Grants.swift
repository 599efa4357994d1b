/// Rights for named accounts and groups, instead of a ``S3CannedACL``.
///
/// Each value is a list such as `id="79a5…", uri="http://acs.amazonaws.com/groups/global/AllUsers"`.
public struct S3Grants: Hashable, Sendable {
    /// Who reads the object.
    public var read: String?
    /// Who reads its rights.
    public var readACP: String?
    /// Who changes its rights.
    public var writeACP: String?
    /// Who may do everything.
    public var fullControl: String?

    /// Creates rights.
    ///
    /// - Parameters:
    ///   - read: Who reads the object. Default: nobody more.
    ///   - readACP: Who reads its rights. Default: nobody more.
    ///   - writeACP: Who changes its rights. Default: nobody more.
    ///   - fullControl: Who may do everything. Default: nobody more.
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
