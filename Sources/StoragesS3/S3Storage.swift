import Foundation
import Logging
import NIOConcurrencyHelpers
import Platform
public import Storages
import StoragesHTTP

/// A bucket of Amazon S3, or of any server that speaks its protocol.
///
/// One storage holds one set of connections and is made once. Uploads, multipart uploads among them, are never seen
/// unfinished; interrupted downloads resume; requests are signed with Signature Version 4 and tried
/// again when that may help.
///
/// ```swift
/// let media = try S3Storage(bucketName: "media", endpointURL: "http://localhost:9000")
/// let file = try await media.upload(.file("cat.jpg"), to: media.name(for: "cat.jpg"))
/// let url = try await media.url(for: file.name)
/// ```
///
/// Whether a write can depend on the absence of the file, which ``IfExists/fail`` needs, is known of some servers and
/// states of a bucket; otherwise ``probeConditionalWrites()`` finds it out. Where it cannot, ``IfExists/fail`` throws
/// ``StorageError/Code/unsupported``, and ``IfExists/rename`` looks whether the name is free before it writes.
public final class S3Storage: Storage {
    /// The text `S3Storage(bucket at host)`, with the port if it is not the usual one, and the path of the endpoint if
    /// it has one.
    public let label: String
    /// The server and the bucket.
    ///
    /// For Amazon S3 these are the partition and the bucket, whatever host and region requests go to, because the names
    /// of buckets are unique in a partition.
    public let location: StorageLocation?
    /// The name of the bucket.
    public let bucketName: String

    let options: S3Options
    /// The parameters of new objects that win over the options, see ``applying(_:)``.
    let parameterOverrides: S3ObjectParameters?
    let client: S3Client
    let integrity: IntegrityPolicy
    let urls: S3URLs
    let conditions: NIOLockedValueBox<KnownConditions>
    /// The trial, under the name of the bucket, that finds the conditions out.
    let conditionProbe: SingleFlight<String, ConditionalWrites>
    let partMemory: PartMemory

    /// Makes a storage of a bucket; nothing is sent yet.
    ///
    /// Settings that are not given come from the environment, as with Amazon's own tools: `AWS_REGION`,
    /// `AWS_ENDPOINT_URL_S3` and so on. Credentials come from the shared files, too;
    /// ``load(bucketName:profile:endpointURL:region:defaultACL:customDomain:querystringAuth:options:)`` also takes
    /// region, endpoint and other settings from there.
    ///
    /// - Parameters:
    ///   - bucketName: The bucket.
    ///   - endpointURL: The URL of another server than Amazon's: a host, with a port or a path in front of all others
    ///     if need be, such as `https://project.supabase.co/storage/v1/s3` or `localhost:9000`. Default: Amazon S3.
    ///   - accessKeyID: The access key. Default: from the environment and so on.
    ///   - secretAccessKey: Its secret; given when the access key is.
    ///   - region: The region. Default: from the environment or the endpoint, else `us-east-1`.
    ///   - useSSL: Whether requests go over TLS when the endpoint has no scheme; a scheme decides it. Default: `true`.
    ///   - defaultACL: The canned ACL of new files. Default: what the bucket says, which for new buckets of Amazon's is
    ///     the only thing allowed.
    ///   - customDomain: The domain of the files' URLs, such as that of a content delivery network; may have a path,
    ///     and a scheme in front: `https://cdn.example.org/media`. Default: none; the scheme is that of requests.
    ///   - querystringAuth: Whether URLs are signed, and so expire. Default: `false`.
    ///   - options: Everything else.
    /// - Throws: ``StorageError`` with code ``StorageError/Code/invalidConfiguration`` that names the option.
    public convenience init(
        bucketName: String,
        endpointURL: String? = nil,
        accessKeyID: String? = nil,
        secretAccessKey: String? = nil,
        region: String? = nil,
        useSSL: Bool = true,
        defaultACL: S3CannedACL? = nil,
        customDomain: String? = nil,
        querystringAuth: Bool = false,
        options: S3Options = S3Options()
    ) throws {
        try self.init(
            S3Setup(
                bucketName: bucketName,
                endpointURL: endpointURL,
                accessKeyID: accessKeyID,
                secretAccessKey: secretAccessKey,
                region: region,
                useSSL: useSSL,
                defaultACL: defaultACL,
                customDomain: customDomain,
                querystringAuth: querystringAuth,
                options: options
            )
        )
    }

    /// Makes a storage; tests may give it a transport of their own.
    init(_ setup: S3Setup, transport: (any HTTPTransport)? = nil) throws {
        bucketName = setup.bucketName
        var options = setup.options
        if options.objectParameters.acl == nil, options.objectParameters.grants == nil {
            options.objectParameters.acl = setup.defaultACL
        }
        self.options = options
        parameterOverrides = nil
        let parts = try setup.parts(transport: transport)
        client = parts.client
        let addressing = parts.client.addressing
        label = "S3Storage(\(setup.bucketName) at \(addressing.serviceAddress))"
        location = StorageLocation(address: addressing.bucketAddress)
        integrity = parts.integrity
        urls = parts.urls
        conditions = NIOLockedValueBox(KnownConditions(parts.client.profile.conditions))
        conditionProbe = SingleFlight(inheritsTaskLocals: true)
        partMemory = PartMemory(capacity: setup.options.transfers.memoryBudget)
    }

    private init(_ storage: S3Storage, _ overrides: S3ObjectParameters) {
        bucketName = storage.bucketName
        label = storage.label
        location = storage.location
        options = storage.options
        client = storage.client
        integrity = storage.integrity
        urls = storage.urls
        conditions = storage.conditions
        conditionProbe = storage.conditionProbe
        partMemory = storage.partMemory
        parameterOverrides = overrides
    }

    /// Returns the same storage with overriding parameters, which are stored with files that are uploaded and copied
    /// through it.
    ///
    /// It shares connections, memory and what is known about the server with this one; making it costs nothing.
    ///
    /// ```swift
    /// var parameters = S3ObjectParameters()
    /// parameters.storageClass = .standardIA
    /// try await media.applying(parameters).upload(body, to: name)
    /// ```
    ///
    /// - Parameter parameters: The parameters of the objects, over ``S3Options/objectParameters`` and
    ///   ``S3Options/objectParametersForName``; those of ``UploadOptions`` win over them. With a customer key read the
    ///   files through such a storage, too.
    /// - Throws: ``StorageError`` with code ``StorageError/Code/invalidConfiguration`` for parameters that no object
    ///   can have.
    /// - Complexity: O(1).
    public func applying(_ parameters: S3ObjectParameters) throws -> S3Storage {
        try parameters.validate(isSecure: client.isSecure, options.metadataEncoding)
        return S3Storage(self, parameterOverrides.map { $0.merging(parameters) } ?? parameters)
    }

    /// The known capabilities of the server: all of them, except conditional uploads and ordered listings where that
    /// is unknown.
    public var capabilities: StorageCapabilities {
        var capabilities: StorageCapabilities = [
            .rangedRead, .temporaryURL, .directUpload, .serverSideCopy, .storedMetadata,
        ]
        if client.profile.listsInOrder { capabilities.insert(.orderedListing) }
        if client.isAnonymous { capabilities.subtract([.temporaryURL, .directUpload]) }
        if conditions.withLockedValue({ $0.writes.put.absence.isSupported }) { capabilities.insert(.conditionalUpload) }
        return capabilities
    }

    /// Returns the sanitised name, by ``S3Options/namePolicy``.
    public func name(for original: String) throws -> StorageName {
        try StorageName(originalPath: original, policy: options.namePolicy)
    }

    /// Runs requests, and turns their failures into errors about a name.
    func reporting<Result>(
        _ name: StorageName? = nil,
        _ work: () async throws -> Result
    ) async throws -> Result {
        do {
            return try await work()
        } catch let failure as S3Failure {
            throw failure.storageError(name, label)
        } catch var error as StorageError {
            error.name = error.name ?? name?.string
            error.storage = error.storage ?? label
            throw error
        }
    }
}

extension S3Storage: CustomReflectable {
    /// A mirror with the label only: what a storage is made of holds secrets.
    public var customMirror: Mirror { Mirror(self, children: ["label": label]) }
}
