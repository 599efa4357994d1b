import Storages

/// What is different about a server.
struct EndpointProfile: Hashable, Sendable {
    var kind: S3Server.Kind = .generic

    // MARK: Conditions

    /// What is claimed of conditions on writes.
    var conditions = ConditionClaims()

    // MARK: Objects

    /// Whether objects that are stored compressed may come decompressed, with another size.
    var mayDecompress = false

    // MARK: Listing and deleting

    var listVersion = 2
    /// Whether keys are known to be listed in the order of their bytes.
    var listsInOrder = true
    /// Whether `encoding-type=url` is sent.
    var encodesListings = true
    /// Whether it is sent for ListMultipartUploads, too.
    var encodesUploadListings = true
    var deletesInBulk = true
    var maxKeysPerDeletion = 1000

    // MARK: Uploads in parts

    var maxParts = 10_000
    var minPartSize: Int64 = 5 << 20
    /// How many parts of an upload it makes sense to send at the same time.
    var maxPartsAtOnce = Int.max
    /// Whether UploadPartCopy works.
    var copiesParts = true

    // MARK: Requests

    /// Whether the server waits with its consent as HTTP has it.
    var expectsContinue = true
    /// How long an idle connection may be used again.
    var maxConnectionAge: Duration = .seconds(15)
    /// The check that goes with uploads when nothing else is asked for.
    var defaultChecksum: ChecksumAlgorithm?
    var defaultRegion: Region = .usEast1
    /// Whether the bucket must be in the host.
    var requiresVirtualHost = false

    /// The profile of a server.
    ///
    /// - Parameters:
    ///   - server: What the user says.
    ///   - host: The host of the endpoint without a bucket; `nil` for Amazon S3.
    /// - Throws: ``StorageError`` with code `invalidConfiguration` for numbers that make no sense.
    static func resolve(_ server: S3Server, host: String?) throws(StorageError) -> EndpointProfile {
        var profile = known(server.kind == .automatic ? kind(ofHost: host) : server.kind)
        try profile.apply(server)
        return profile
    }

    private mutating func apply(_ server: S3Server) throws(StorageError) {
        func check(_ option: String, _ value: Int64?, in range: ClosedRange<Int64>) throws(StorageError) {
            guard let value, !range.contains(value) else { return }
            throw StorageError(
                .invalidConfiguration,
                "The server's \(option) is \(value). Give a number from \(range.lowerBound) to \(range.upperBound)."
            )
        }
        try check("listVersion", server.listVersion.map(Int64.init), in: 1...2)
        try check("maxKeysPerDeletion", server.maxKeysPerDeletion.map(Int64.init), in: 1...1000)
        try check("maxParts", server.maxParts.map(Int64.init), in: 1...10_000)
        try check("minPartSize", server.minPartSize, in: 1...(5 << 30))
        if let does = server.conditionalWrites { conditions.apply(does) }
        listVersion = server.listVersion ?? listVersion
        encodesListings = server.encodesListings ?? encodesListings
        deletesInBulk = server.deletesInBulk ?? deletesInBulk
        maxKeysPerDeletion = server.maxKeysPerDeletion ?? maxKeysPerDeletion
        maxParts = server.maxParts ?? maxParts
        minPartSize = server.minPartSize ?? minPartSize
        copiesParts = server.copiesParts ?? copiesParts
        expectsContinue = server.expectsContinue ?? expectsContinue
    }
}
