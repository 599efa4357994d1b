/// The kind of the server behind an endpoint, and its differences from Amazon S3.
///
/// S3 is spoken by many servers, each with gaps; some ignore silently what they do not know, conditions of uploads
/// among them. Hosted services are recognised by their hosts. A server of your own is not: name it.
///
/// ```swift
/// var server = S3Server.ceph
/// server.maxParts = 1000
/// ```
public struct S3Server: Hashable, Sendable {
    enum Kind: String, Hashable, Sendable, CaseIterable {
        case automatic, aws, minIO, ceph, cloudflareR2, googleCloudStorage, digitalOceanSpaces, wasabi, backblazeB2
        case alibabaOSS, tencentCOS, huaweiOBS, ibmCloud, oracleCloud, scaleway, storj, tigris, seaweedFS, rclone,
            generic
    }

    let kind: Kind

    /// A Boolean value that indicates whether uploads can depend on the object's absence or entity tag: `true` when you
    /// know that the server honours `If-None-Match` and `If-Match` of PutObject in this bucket, `false` when it honours
    /// no conditions.
    ///
    /// It is not about multipart uploads, copies and deletions, which are tried where nothing is known of them. The
    /// results of ``S3Storage/probeConditionalWrites()`` count more.
    ///
    /// Default: what is known of the server.
    public var conditionalWrites: Bool?
    /// The version of ListObjects that is requested first: 1 or 2.
    ///
    /// Default: what is known of the server.
    public var listVersion: Int?
    /// A Boolean value that indicates whether listings are requested with keys encoded as in URLs.
    ///
    /// Default: what is known of the server.
    public var encodesListings: Bool?
    /// A Boolean value that indicates whether many objects are deleted by one request.
    ///
    /// Default: what is known of the server.
    public var deletesInBulk: Bool?
    /// The most keys that one request deletes.
    ///
    /// Default: what is known of the server, mostly 1000.
    public var maxKeysPerDeletion: Int?
    /// The most parts that an upload has.
    ///
    /// Default: what is known of the server, mostly 10,000.
    public var maxParts: Int?
    /// The fewest bytes of a part that is not the last.
    ///
    /// Default: what is known of the server, mostly 5 MiB.
    public var minPartSize: Int64?
    /// A Boolean value that indicates whether a part of an upload can be copied from an object.
    ///
    /// Default: what is known of the server.
    public var copiesParts: Bool?
    /// A Boolean value that indicates whether large uploads wait for the server's consent (`Expect: 100-continue`).
    ///
    /// Default: what is known of the server, mostly `true`.
    public var expectsContinue: Bool?

    private init(_ kind: Kind) {
        self.kind = kind
    }

    /// A server that is recognised by the host of the endpoint; a host that is not known is a ``generic`` server.
    public static let automatic = Self(.automatic)
    /// Amazon S3.
    public static let aws = Self(.aws)
    /// MinIO.
    public static let minIO = Self(.minIO)
    /// Ceph's object gateway.
    public static let ceph = Self(.ceph)
    /// Cloudflare R2.
    public static let cloudflareR2 = Self(.cloudflareR2)
    /// Google Cloud Storage through its XML interface, with HMAC keys.
    public static let googleCloudStorage = Self(.googleCloudStorage)
    /// DigitalOcean Spaces.
    public static let digitalOceanSpaces = Self(.digitalOceanSpaces)
    /// Wasabi.
    public static let wasabi = Self(.wasabi)
    /// Backblaze B2.
    public static let backblazeB2 = Self(.backblazeB2)
    /// Alibaba Cloud's Object Storage Service.
    public static let alibabaOSS = Self(.alibabaOSS)
    /// Tencent Cloud Object Storage.
    public static let tencentCOS = Self(.tencentCOS)
    /// Huawei's Object Storage Service.
    public static let huaweiOBS = Self(.huaweiOBS)
    /// IBM Cloud Object Storage.
    public static let ibmCloud = Self(.ibmCloud)
    /// Oracle Cloud's compatible interface.
    public static let oracleCloud = Self(.oracleCloud)
    /// Scaleway Object Storage.
    public static let scaleway = Self(.scaleway)
    /// Storj's gateway.
    public static let storj = Self(.storj)
    /// Tigris.
    public static let tigris = Self(.tigris)
    /// SeaweedFS.
    public static let seaweedFS = Self(.seaweedFS)
    /// `rclone serve s3`.
    public static let rclone = Self(.rclone)
    /// A server of which nothing is known.
    public static let generic = Self(.generic)
}
