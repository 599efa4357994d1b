import NIOCore

/// The answers of STS to AssumeRole and AssumeRoleWithWebIdentity.
enum AssumeRoleResult {
    /// The temporary keys.
    ///
    /// - Parameter body: The body of an answer with status 200; the errors are in an ``S3ErrorDocument``, too.
    static func credentials(_ body: ByteBuffer) throws(UnusableDocument) -> S3Credentials {
        let root = try S3Document.root(of: body, named: ["AssumeRoleResponse", "AssumeRoleWithWebIdentityResponse"])
        let result = root.first("AssumeRoleResult") ?? root.first("AssumeRoleWithWebIdentityResult") ?? root
        let keys = try S3Document.required(result.first("Credentials"), "Credentials", in: root)
        return S3Credentials(
            accessKeyID: try S3Document.required(keys.string("AccessKeyId"), "AccessKeyId", in: root),
            secretAccessKey: try S3Document.required(keys.string("SecretAccessKey"), "SecretAccessKey", in: root),
            sessionToken: try S3Document.required(keys.string("SessionToken"), "SessionToken", in: root),
            expiration: try S3Document.required(keys.date("Expiration"), "Expiration", in: root)
        )
    }
}
