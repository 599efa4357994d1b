public import Logging
public import Storages

/// How an ``S3Storage`` works, beyond what its initialiser asks for; every option has a default that fits most.
///
/// ```swift
/// var options = S3Options()
/// options.objectParameters.cacheControl = "public, max-age=31536000, immutable"
/// options.server = .minIO
/// let storage = try S3Storage(bucketName: "media", endpointURL: "minio.internal:9000", options: options)
/// ```
///
/// Its description tells nothing, and `dump` shows of secret options only whether they are there.
public struct S3Options: Sendable {
    // MARK: Credentials

    /// The token of temporary keys that were given explicitly.
    ///
    /// Default: none.
    public var sessionToken: String?
    /// The profile of the shared files that credentials come from; then the environment is not asked for them, and keys
    /// cannot be given.
    ///
    /// Settings such as the region come from there, too, when the storage is made by
    /// ``S3Storage/load(bucketName:profile:serverURL:region:defaultACL:customDomain:querystringAuth:options:)``; an
    /// initialiser reads no files. Default: what `AWS_PROFILE` or `AWS_DEFAULT_PROFILE` names, else `default`.
    public var profile: String?
    /// Whether the shared files, `~/.aws/credentials` and `~/.aws/config`, are read at all.
    ///
    /// Default: `true`.
    public var loadsProfiles = true
    /// Where credentials come from, in place of everything else.
    ///
    /// Default: explicit keys; else the first that has some of: the environment, a web identity, the profile, the
    /// container, the instance metadata. In the environment, `AWS_S3_ACCESS_KEY_ID`, `AWS_S3_SECRET_ACCESS_KEY` and
    /// `AWS_S3_SESSION_TOKEN`, which other programs do not look at, come before `AWS_ACCESS_KEY_ID` and its like.
    public var credentialProvider: (any S3CredentialProvider)?
    /// A role that is taken with those credentials, and whose own are then used.
    ///
    /// Default: none; a profile may name one, and so may a web identity.
    public var assumedRole: S3AssumedRole?
    /// The URL of the service that gives out credentials of roles, STS; only `https://`.
    ///
    /// Default: what `AWS_ENDPOINT_URL_STS` or the services of the profile say, else Amazon's in the region of the
    /// storage.
    public var stsEndpointURL: String?
    /// How the metadata service of an EC2 instance is asked for credentials.
    public var instanceMetadata = S3InstanceMetadata()
    /// Whether requests are not signed: for public buckets.
    ///
    /// Default: `false`.
    public var isAnonymous = false

    // MARK: Server

    /// Which server it is, and what is different about it.
    ///
    /// Default: recognised by its host.
    public var server = S3Server.automatic
    /// Where the bucket stands.
    ///
    /// Default: in the host for Amazon S3, in the path for others.
    public var addressingStyle = S3AddressingStyle.auto
    /// Whether Amazon's dual-stack endpoints are used, which have IPv6 addresses.
    ///
    /// Default: what `AWS_USE_DUALSTACK_ENDPOINT` says, else a loaded profile, unless another server is given; else
    /// `false`.
    public var usesDualStack = false
    /// Whether Amazon's Transfer Acceleration is used.
    ///
    /// Default: `false`.
    public var usesAccelerate = false
    /// Whether Amazon's FIPS endpoints are used.
    ///
    /// Default: what `AWS_USE_FIPS_ENDPOINT` says, else a loaded profile, unless another server is given; else `false`.
    public var usesFIPS = false

    // MARK: URLs

    /// The host under which others reach the server, when it is not the endpoint's: `files.example.org`, or
    /// `https://files.example.org` when they come another way than requests go; with a path if it has one.
    ///
    /// URLs, and uploads that clients make themselves, are signed for it. The bucket stands in its host or in the path,
    /// as it does in requests. Default: the endpoint.
    public var publicEndpointURL: String?
    /// Whether URLs at the custom domain are signed, for a domain that passes the signature on to S3.
    ///
    /// Default: `false`.
    public var customDomainSigns = false
    /// How long signed URLs work when nothing else is asked for: 1 second to 7 days.
    ///
    /// Default: one hour.
    public var urlLifetime = Duration.seconds(3600)
    /// The window in which equal requests give equal signed URLs when nothing else is asked for: 1 second to 7 days.
    ///
    /// Default: none.
    public var urlQuantum: Duration?
    /// Signs URLs at the custom domain for Amazon CloudFront.
    ///
    /// Default: none.
    public var cloudFront: CloudFrontKey?

    // MARK: Objects

    /// What is stored with every object.
    ///
    /// Default: nothing beyond the type. What an upload asks for wins.
    public var objectParameters = S3ObjectParameters()
    /// What is stored with the object of a name, over ``objectParameters``.
    ///
    /// Default: nothing.
    public var objectParametersForName: (@Sendable (StorageName) -> S3ObjectParameters)?
    /// How values of metadata that are not ASCII are kept.
    ///
    /// Default: not at all, they are an error.
    public var metadataEncoding = S3MetadataEncoding.ascii
    /// Which uploads are compressed, and how.
    ///
    /// Default: none, bytes are stored as they come.
    public var compression: S3Compression?
    /// How names that clients send become keys.
    ///
    /// Default: letters of all scripts stay.
    public var namePolicy = StorageNamePolicy.unicode
    /// The check that goes with uploaded and downloaded bytes.
    ///
    /// Default: CRC-32 for Amazon S3, else none beyond the signature.
    public var integrity = S3Integrity.auto
    /// Whether the signature covers the bytes of uploads.
    ///
    /// Default: over plain HTTP all, over TLS up to 256 KiB.
    public var payloadSigning = S3PayloadSigning.auto

    // MARK: Transfers

    /// How large files are moved.
    public var transfers = S3Transfers()
    /// How often requests are tried again.
    ///
    /// Default: as ``S3Retries`` has it, but for the attempts that `AWS_MAX_ATTEMPTS` says, or else `AWS_RETRY_MODE`: 3
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
    /// How long making a connection may take: 1 millisecond to 24 hours.
    ///
    /// Default: 5 seconds.
    public var connectTimeout = Duration.seconds(5)
    /// How long nothing may move before a transfer is given up; a slow reader does not count; 1 millisecond to 24
    /// hours.
    ///
    /// Default: 30 seconds.
    public var stallTimeout = Duration.seconds(30)
    /// The age from which an idle connection is not used again: 1 millisecond to 24 hours.
    ///
    /// Default: 4 seconds for Amazon S3, which closes them early, else 15.
    public var idleConnectionAge: Duration?
    /// How TLS is done.
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
    /// Fields that are added to every request, and signed.
    ///
    /// Default: none.
    public var defaultHeaders: [String: String] = [:]
    /// What the storage calls itself to the server.
    ///
    /// Default: `stored-files`.
    public var userAgent = "stored-files"
    /// Told about retries, regions and credentials; never gets a secret.
    public var logger = Logger(label: "stored-files.s3")

    /// Creates options with all defaults.
    public init() {}
}
