public import Foundation
import StoragesHTTP

/// The parameters that are stored with an object, and its permissions.
///
/// A storage has parameters for all its objects; those of one call win over them, see ``merging(_:)``.
///
/// ```swift
/// var parameters = S3ObjectParameters()
/// parameters.cacheControl = "public, max-age=31536000, immutable"
/// parameters.encryption = .kms()
/// ```
public struct S3ObjectParameters: Hashable, Sendable {
    /// The `Cache-Control` to serve the object with.
    ///
    /// Default: none.
    public var cacheControl: String?
    /// The `Content-Disposition` to serve the object with.
    ///
    /// Default: none.
    public var contentDisposition: String?
    /// The `Content-Encoding` of the stored bytes, such as `gzip`.
    ///
    /// Default: none.
    public var contentEncoding: String?
    /// The `Content-Language` to serve the object with.
    ///
    /// Default: none.
    public var contentLanguage: String?
    /// The `Content-Type` to serve the object with, parameters included.
    ///
    /// Default: derived from the name.
    public var contentType: String?
    /// The `Expires` to serve the object with, in whole seconds.
    ///
    /// Default: none.
    public var expires: Date?
    /// Further metadata; the server keeps the names in lower case, and 2 KB in all.
    ///
    /// Values are ASCII, or see ``S3Options/metadataEncoding``.
    ///
    /// Default: empty.
    public var metadata: [String: String] = [:]
    /// Tags, at most ten.
    ///
    /// Default: none.
    public var tags: [String: String] = [:]
    /// The storage class of the object.
    ///
    /// Default: the server's choice.
    public var storageClass: S3StorageClass?
    /// The encryption of the object at rest.
    ///
    /// Default: the bucket's setting.
    public var encryption: S3Encryption?
    /// The target to which a bucket that is a website redirects requests for the object.
    ///
    /// Default: none.
    public var websiteRedirectLocation: String?
    /// The retention of the object.
    ///
    /// Default: the bucket's setting.
    public var objectLock: S3ObjectLock?
    /// A Boolean value that indicates whether the object is locked until somebody lifts the legal hold.
    ///
    /// Default: not set.
    public var hasLegalHold: Bool?
    /// The canned ACL; wins over the storage's default ACL, and excludes ``grants``.
    ///
    /// Default: the storage's.
    public var acl: S3CannedACL?
    /// The permissions of named accounts and groups.
    ///
    /// Default: none.
    public var grants: S3Grants?
    /// A Boolean value that indicates whether the requester pays for requests and traffic, as some buckets want it.
    ///
    /// Default: `false`.
    public var requesterPays = false
    /// The id of the account that the bucket must belong to; another one's is refused.
    ///
    /// Default: not checked.
    public var expectedBucketOwner: String?

    /// Creates parameters that set nothing.
    public init() {}

    /// Returns these parameters with those of a call over them: the call's win, metadata and tags name by name; what
    /// the call does not set stays.
    ///
    /// - Parameter overrides: The parameters of the call.
    /// - Returns: Both together. An ACL of the call takes the place of grants, and the other way round.
    public func merging(_ overrides: S3ObjectParameters) -> S3ObjectParameters {
        var result = self
        result.cacheControl = overrides.cacheControl ?? cacheControl
        result.contentDisposition = overrides.contentDisposition ?? contentDisposition
        result.contentEncoding = overrides.contentEncoding ?? contentEncoding
        result.contentLanguage = overrides.contentLanguage ?? contentLanguage
        result.contentType = overrides.contentType ?? contentType
        result.expires = overrides.expires ?? expires
        // Names of metadata are the same whatever their case.
        for name in overrides.metadata.keys {
            for old in metadata.keys where HTTPHeaders.areEqual(old, name) { result.metadata[old] = nil }
        }
        result.metadata.merge(overrides.metadata) { _, new in new }
        result.tags.merge(overrides.tags) { _, new in new }
        result.storageClass = overrides.storageClass ?? storageClass
        result.encryption = overrides.encryption ?? encryption
        result.websiteRedirectLocation = overrides.websiteRedirectLocation ?? websiteRedirectLocation
        result.objectLock = overrides.objectLock ?? objectLock
        result.hasLegalHold = overrides.hasLegalHold ?? hasLegalHold
        if overrides.acl != nil || overrides.grants != nil {
            result.acl = overrides.acl
            result.grants = overrides.grants
        }
        result.requesterPays = overrides.requesterPays || requesterPays
        result.expectedBucketOwner = overrides.expectedBucketOwner ?? expectedBucketOwner
        return result
    }
}
