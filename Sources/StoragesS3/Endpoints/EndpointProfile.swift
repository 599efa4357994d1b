import Storages

/// The properties in which servers differ.
struct EndpointProfile: Hashable, Sendable {
    var kind: S3Server.Kind = .generic

    // MARK: Conditions

    /// The claims about conditional writes.
    var conditions = ConditionClaims()

    // MARK: Objects

    /// A Boolean value that indicates whether objects that are stored compressed may come decompressed, with another
    /// size.
    var mayDecompress = false

    // MARK: Listing and deleting

    var listVersion = 2
    /// A Boolean value that indicates whether keys are known to be listed in the order of their bytes.
    var listsInOrder = true
    /// A Boolean value that indicates whether `encoding-type=url` is sent.
    var encodesListings = true
    /// A Boolean value that indicates whether `encoding-type=url` is sent for ListMultipartUploads, too.
    var encodesUploadListings = true
    var deletesInBulk = true
    var maxKeysPerDeletion = 1000

    // MARK: Multipart uploads

    var maxParts = 10_000
    var minPartSize: Int64 = 5 << 20
    /// The most parts of an upload that it makes sense to send at the same time.
    var maxPartsAtOnce = Int.max
    /// A Boolean value that indicates whether UploadPartCopy works.
    var copiesParts = true

    // MARK: Requests

    /// A Boolean value that indicates whether the server supports `Expect: 100-continue`.
    ///
    /// <https://www.rfc-editor.org/rfc/rfc9110#section-10.1.1>
    var expectsContinue = true
    /// The age up to which an idle connection may be used again.
    var maxConnectionAge: Duration = .seconds(15)
    /// The checksum that goes with uploads when nothing else is asked for.
    var defaultChecksum: ChecksumAlgorithm?
    var defaultRegion: Region = .usEast1
    /// A Boolean value that indicates whether the bucket must be in the host.
    var requiresVirtualHost = false

    /// Returns the profile of a server.
    ///
    /// - Parameters:
    ///   - server: The server that the user names.
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
