public import Logging
public import Storages

/// The settings of an ``S3Storage`` beyond those of its initialisers; every option has a default that fits most.
///
/// ```swift
/// var options = S3Options()
/// options.objectParameters.cacheControl = "public, max-age=31536000, immutable"
/// options.server = .minIO
/// let storage = try S3Storage(bucketName: "media", endpointURL: "minio.internal:9000", options: options)
/// ```
///
/// Its description shows no option, and `dump` shows of secret options only whether they are set.
public struct S3Options: Sendable {
    // MARK: Credentials

    /// The session token of temporary keys that were given explicitly.
    ///
    /// Default: none.
    public var sessionToken: String?
    /// The profile of the shared files that has the credentials; then the environment is not asked for them, and keys
    /// cannot be given.
    ///
    /// Settings such as the region come from there, too, when the storage is made by
    /// ``S3Storage/load(bucketName:profile:endpointURL:region:defaultACL:customDomain:querystringAuth:options:)``; an
    /// initialiser reads no files. Default: what `AWS_PROFILE` or `AWS_DEFAULT_PROFILE` names, else `default`.
    public var profile: String?
    /// A Boolean value that indicates whether the shared files, `~/.aws/credentials` and `~/.aws/config`, are read at
    /// all.
    ///
    /// Default: `true`.
    public var loadsProfiles = true
    /// The provider of the credentials, in the place of all other sources.
    ///
    /// Default: explicit keys; else the first of these that has credentials: the environment, a web identity, the
    /// profile, the container, the instance metadata. In the environment, `AWS_S3_ACCESS_KEY_ID`,
    /// `AWS_S3_SECRET_ACCESS_KEY` and `AWS_S3_SESSION_TOKEN`, which other programs do not look at, come before
    /// `AWS_ACCESS_KEY_ID` and its like.
    public var credentialProvider: (any S3CredentialProvider)?
    /// The role that is assumed with those credentials, and whose temporary credentials then sign requests.
    ///
    /// <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>
    ///
    /// Default: none; a profile may name one, and so may a web identity.
    public var assumedRole: S3AssumedRole?
    /// The URL of the Security Token Service (STS), which issues the credentials of roles; only `https://`.
    ///
    /// Default: what `AWS_ENDPOINT_URL_STS` or the services of the profile say, else Amazon's in the region of the
    /// storage.
    public var stsEndpointURL: String?
    /// The settings for credentials from the metadata service of an EC2 instance.
    public var instanceMetadata = S3InstanceMetadata()
    /// A Boolean value that indicates whether requests are sent without a signature, for public buckets.
    ///
    /// Default: `false`.
    public var isAnonymous = false

    // MARK: Server

    /// The kind of the server, and its differences from Amazon S3.
    ///
    /// Default: recognised by its host.
    public var server = S3Server.automatic
    /// The place of the bucket in URLs: the host or the path.
    ///
    /// Default: what a loaded profile says, else the host for Amazon S3 and the path for others.
    public var addressingStyle = S3AddressingStyle.auto
    /// A Boolean value that indicates whether Amazon's dual-stack endpoints are used, which have IPv6 addresses.
    ///
    /// Default: what `AWS_USE_DUALSTACK_ENDPOINT` says, else a loaded profile, unless another server is given; else
    /// `false`.
    public var usesDualStack = false
    /// A Boolean value that indicates whether Amazon's Transfer Acceleration is used.
    ///
    /// Default: what a loaded profile says, unless another server is given; else `false`.
    public var usesAccelerate = false
    /// A Boolean value that indicates whether Amazon's FIPS endpoints are used.
    ///
    /// Default: what `AWS_USE_FIPS_ENDPOINT` says, else a loaded profile, unless another server is given; else `false`.
    public var usesFIPS = false

    // MARK: URLs

    /// The host under which others reach the server, when it is not the endpoint's: `files.example.org`, or
    /// `https://files.example.org` when its scheme is not that of requests; with a path if it has one.
    ///
    /// URLs, and uploads that clients make themselves, are signed for it. The bucket stands in its host or in the path,
    /// as it does in requests. Default: the endpoint.
    public var publicEndpointURL: String?
    /// A Boolean value that indicates whether URLs at the custom domain are signed, for a domain that passes the
    /// signature on to S3.
    ///
    /// Default: `false`.
    public var customDomainSigns = false
    /// The lifetime of signed URLs when none is asked for: 1 second to 7 days.
    ///
    /// Default: one hour.
    public var urlLifetime = Duration.seconds(3600)
    /// The window in which equal requests give equal signed URLs, when none is asked for: 1 second to 7 days.
    ///
    /// Default: none.
    public var urlQuantum: Duration?
    /// The key pair that signs URLs at the custom domain for Amazon CloudFront.
    ///
    /// Default: none.
    public var cloudFront: CloudFrontKey?

    // MARK: Objects

    /// The parameters that are stored with every object.
    ///
    /// Default: none beyond the type. The options of an upload win.
    public var objectParameters = S3ObjectParameters()
    /// A function that returns further parameters for the object of a name, which win over ``objectParameters``.
    ///
    /// Default: none.
    public var objectParametersForName: (@Sendable (StorageName) -> S3ObjectParameters)?
    /// The encoding of values of metadata that are not ASCII.
    ///
    /// Default: none; such values are an error.
    public var metadataEncoding = S3MetadataEncoding.ascii
    /// The rule by which uploads are compressed.
    ///
    /// Default: none; bytes are stored as they come.
    public var compression: S3Compression?
    /// The policy by which names that clients send become keys.
    ///
    /// Default: letters of all scripts stay.
    public var namePolicy = StorageNamePolicy.unicode
    /// The checksum that goes with uploaded and downloaded bytes.
    ///
    /// Default: CRC-32 for Amazon S3, else none beyond the signature.
    public var integrity = S3Integrity.auto
    /// The rule that decides whether the signature covers the bytes of uploads.
    ///
    /// Default: over plain HTTP always; over TLS what a loaded profile says, else up to 256 KiB.
    public var payloadSigning = S3PayloadSigning.auto

    // MARK: Transfers

    /// The settings for transfers of large files.
    public var transfers = S3Transfers()
    /// The settings for retries of requests.
    ///
    /// Default: those of ``S3Retries``, but with the attempts that `AWS_MAX_ATTEMPTS` says, or else `AWS_RETRY_MODE`: 3
    /// when it is `standard` or `adaptive`, 5 when it is `legacy`.
    public var retries = S3Retries()
    /// The most requests at the same time.
    ///
    /// Others wait, as long as ``S3Transfers/waitLimit`` allows. An open download counts until all of it has arrived.
    /// One that is not read for a second gives its connection to those that wait, and asks for the rest when it is read
    /// again; only when the server gave it no strong entity tag it keeps its connection until it is read or dropped.
    ///
    /// Default: 64.
    public var maxConnections = 64
    /// The longest time for making a connection: 1 millisecond to 24 hours.
    ///
    /// Default: 5 seconds.
    public var connectTimeout = Duration.seconds(5)
    /// The longest time that a transfer may stall before it is given up: 1 millisecond to 24 hours.
    ///
    /// A transfer stalls while it moves less than 1 KiB per second; a slow reader does not count. Fractions of a second
    /// are cut off; the least is one second.
    ///
    /// Default: 30 seconds.
    public var stallTimeout = Duration.seconds(30)
    /// The age from which an idle connection is not used again: 1 millisecond to 24 hours.
    ///
    /// Fractions of a second are cut off; the least is one second.
    ///
    /// Default: 4 seconds for Amazon S3, which closes them early, else 15.
    public var idleConnectionAge: Duration?
    /// The settings for TLS.
    public var tls = S3TLS()
    /// The URL of a proxy, such as `http://proxy.internal:3128`; the variables of the environment are not looked at.
    ///
    /// Requests to containers' agents and to instance metadata never go through it.
    /// Default: none.
    public var proxy: String?
    /// Hosts that are reached without the proxy, separated by commas.
    ///
    /// Default: none.
    public var noProxy: String?
    /// Headers that are added to every request, and signed.
    ///
    /// Default: none.
    public var defaultHeaders: [String: String] = [:]
    /// The `User-Agent` of requests.
    ///
    /// Default: `stored-files`.
    public var userAgent = "stored-files"
    /// The logger of retries, regions and credentials; it never gets a secret.
    public var logger = Logger(label: "stored-files.s3")

    /// Creates options with all defaults.
    public init() {}
}
