import Storages
import StoragesHTTP

/// The address of a bucket: scheme, host, and the path in front of a key.
struct Addressing: Hashable, Sendable {
    let scheme: URLScheme
    /// The value of the header `Host`: with the port unless the scheme implies it.
    let host: String
    /// The path of the endpoint, and `/bucket` unless the bucket is in the host.
    let pathPrefix: String
    /// The region that requests are signed for.
    var region: Region { options.region }
    var bucket: String { options.bucket }
    /// The host without a bucket and without a port, by which the server's kind is known.
    let serviceHost: String
    /// A Boolean value that indicates whether the bucket is in the host.
    let isVirtualHosted: Bool

    private let options: AddressingOptions
    /// The domain of Amazon's partition that the host is in; `nil` for other servers.
    let partitionDomain: String?

    /// Determines the address of a bucket.
    ///
    /// - Throws: ``StorageError`` with code `invalidConfiguration` that names the option.
    init(_ options: AddressingOptions) throws(StorageError) {
        try BucketName.validate(options.bucket)
        self.options = options
        scheme = options.scheme
        if var endpoint = options.endpoint {
            try Addressing.refuseVariants(options)
            try Addressing.checkPath(of: endpoint, options)
            try Addressing.checkService(of: endpoint)
            let isInside = Addressing.hasBucketInFront(endpoint, options)
            if isInside { endpoint.host = String(endpoint.host.dropFirst(options.bucket.utf8.count + 1)) }
            let aws = AWSHost(endpoint.host)
            partitionDomain = aws?.domain
            serviceHost = endpoint.host
            var isVirtual = isInside
            if !isInside {
                isVirtual = try Addressing.isVirtual(options, isAWS: aws != nil, isIPLiteral: endpoint.isIPLiteral)
            }
            let authority = endpoint.authority(for: options.scheme)
            host = isVirtual ? options.bucket + "." + authority : authority
            isVirtualHosted = isVirtual
            pathPrefix = endpoint.path + (isVirtual ? "" : "/" + options.bucket)
        } else {
            let partition = AWSPartition.containing(options.region)
            let isVirtual = try Addressing.isVirtual(options, isAWS: true, isIPLiteral: false)
            let service = try Addressing.awsHost(options, in: partition, isVirtual: isVirtual)
            partitionDomain = partition.domain
            serviceHost = service
            host = isVirtual ? options.bucket + "." + service : service
            isVirtualHosted = isVirtual
            pathPrefix = isVirtual ? "" : "/" + options.bucket
        }
    }

    /// A Boolean value that indicates whether the host is Amazon's.
    var isAWS: Bool { partitionDomain != nil }

    /// The host without the bucket in front, and the port unless the scheme implies it.
    var serviceAuthority: String {
        isVirtualHosted ? String(host.dropFirst(bucket.utf8.count + 1)) : host
    }

    /// The host and port of the server with the path of the endpoint, as people write them.
    var serviceAddress: String { serviceAuthority + (options.endpoint?.path ?? "") }

    /// The address that is the same for all ways to this bucket: Amazon's many hosts have one set of buckets in a
    /// partition, others have theirs by scheme, host, port and the endpoint's path.
    var bucketAddress: String {
        let server = partitionDomain.map { "aws:\($0)" } ?? "\(scheme.rawValue)://\(serviceAddress)"
        return "\(server)/\(bucket)"
    }

    // MARK: Paths and URLs

    /// The path of the bucket itself, for requests such as listings.
    var bucketPath: String { pathPrefix.isEmpty ? "/" : pathPrefix }

    /// Returns the path of an object, percent-encoded: what is sent and what is signed.
    func path(forKey key: String) -> String {
        pathPrefix + "/" + PercentEncoding.encode(path: key)
    }

    /// The beginning of a URL, `https://host`, to which a path is added.
    var origin: String { scheme.rawValue + "://" + host }

    /// Returns the plain URL of an object, without a signature.
    func url(forKey key: String) -> String {
        origin + path(forKey: key)
    }

    /// Returns the value of `x-amz-copy-source` for an object of this bucket, which is no path of a URL: it never has
    /// the endpoint's.
    func copySource(forKey key: String) -> String {
        bucket + "/" + PercentEncoding.encode(path: key)
    }

    // MARK: Regions

    /// Returns the same bucket, signed for another region; the host is made anew from the region, never taken from a
    /// response.
    ///
    /// - Throws: ``StorageError`` with code `invalidConfiguration` when the region is in another partition, whose
    ///   servers the credentials are nothing to.
    func moved(to region: Region) throws(StorageError) -> Addressing {
        var moved = options
        moved.region = region
        guard let partitionDomain else { return try Addressing(moved) }
        guard AWSPartition.containing(region).domain == partitionDomain else {
            throw StorageError(
                .invalidConfiguration,
                "The bucket \(StorageError.quoted(bucket)) is in the region \(region), another partition of Amazon's "
                    + "cloud. Give the option region, and credentials from there."
            )
        }
        // The host of a private link names no region that could be exchanged, and a port is none of Amazon's.
        if let endpoint = options.endpoint, endpoint.port == nil, let aws = AWSHost(endpoint.host), !aws.isPrivateLink {
            moved.endpoint = nil
            moved.usesDualStack = aws.isDualStack
            moved.usesFIPS = aws.isFIPS
            moved.usesAcceleration = aws.isAccelerated
        }
        return try Addressing(moved)
    }

    /// Returns the same bucket as others see it, for the URLs that are handed out.
    ///
    /// - Parameters:
    ///   - endpoint: The host that is reachable from outside; the bucket stands where it stands in requests, unless the
    ///     host has it in front already, or is an address.
    ///   - scheme: The scheme by which it is reached.
    func published(at endpoint: EndpointAddress, scheme: URLScheme) throws(StorageError) -> Addressing {
        var published = options
        published.endpoint = endpoint
        published.scheme = scheme
        published.usesDualStack = false
        published.usesFIPS = false
        published.usesAcceleration = false
        // Of an unknown host, the automatic choice would be the path, even where requests have no bucket in
        // it.
        if options.style == .auto, isVirtualHosted, AWSHost(endpoint.host) == nil { published.style = .virtual }
        return try Addressing(published)
    }

    // MARK: Rules

    private static func isVirtual(
        _ options: AddressingOptions,
        isAWS: Bool,
        isIPLiteral: Bool
    ) throws(StorageError) -> Bool {
        if isIPLiteral || options.style == .path && !options.requiresVirtualHost && !options.usesAcceleration {
            return false
        }
        let bucket = options.bucket
        let isRequired = options.style == .virtual || options.requiresVirtualHost || options.usesAcceleration
        guard isRequired else { return isAWS && BucketName.isHostLabel(bucket) }
        func refusal(_ problem: String) -> StorageError {
            StorageError(.invalidConfiguration, "The bucketName \(StorageError.quoted(bucket)) \(problem)")
        }
        if options.style == .path {
            let option = options.usesAcceleration ? "usesAccelerate" : "endpointURL"
            throw refusal("cannot be in the path with this \(option). Leave the option addressingStyle out.")
        }
        guard BucketName.isHostName(bucket) else {
            throw refusal(
                "cannot be part of a host name: that takes 3 to 63 lower-case letters, digits and hyphens. Choose the "
                    + "option addressingStyle .path or .auto, without usesAccelerate."
            )
        }
        // The certificates of Amazon cover one label before the service's name.
        if bucket.contains("."), options.usesAcceleration || isAWS && options.scheme == .https {
            throw refusal(
                "has dots, so no certificate of Amazon's covers its host. Choose the option addressingStyle .path or "
                    + ".auto, without usesAccelerate."
            )
        }
        return true
    }

    /// Returns whether the endpoint has the bucket in front, as the consoles of some providers show it.
    private static func hasBucketInFront(_ endpoint: EndpointAddress, _ options: AddressingOptions) -> Bool {
        guard options.style != .path, !endpoint.isIPLiteral, BucketName.isHostName(options.bucket),
            endpoint.host.hasPrefix(options.bucket + "."),
            // Private links have hosts with a label "bucket" that stands for none.
            !endpoint.host.hasPrefix("bucket.vpce-")
        else { return false }
        return HostName.isValid(String(endpoint.host.dropFirst(options.bucket.utf8.count + 1)))
    }

    /// Refuses paths that end in the bucket: it would be in the URL twice.
    private static func checkPath(of endpoint: EndpointAddress, _ options: AddressingOptions) throws(StorageError) {
        guard let last = endpoint.path.split(separator: "/").last else { return }
        let isAWS = AWSHost(endpoint.host) != nil
        guard isAWS || last == options.bucket && EndpointPattern.service(ofHost: endpoint.host) != nil else { return }
        throw StorageError(
            .invalidConfiguration,
            isAWS
                ? "The endpointURL has a path, and Amazon S3 has none in front of its buckets. Leave it out; the "
                    + "bucket is the bucketName."
                : "The endpointURL has the bucket in its path, where requests put it anyway. Leave it out."
        )
    }

    /// Refuses hosts of Amazon that have other requests than those of buckets, or other signatures.
    ///
    /// <https://docs.aws.amazon.com/general/latest/gr/s3.html>
    private static func checkService(of endpoint: EndpointAddress) throws(StorageError) {
        guard let service = AWSHost.otherService(at: endpoint.host) else { return }
        throw StorageError(
            .invalidConfiguration,
            "The endpointURL is a host for \(service), which does not take the requests of a storage. Leave it out and "
                + "give the region, or give s3.REGION.amazonaws.com."
        )
    }

    private static func refuseVariants(_ options: AddressingOptions) throws(StorageError) {
        let variants = [
            ("usesDualStack", options.usesDualStack), ("usesAccelerate", options.usesAcceleration),
            ("usesFIPS", options.usesFIPS),
        ]
        guard let (option, _) = variants.first(where: \.1) else { return }
        throw StorageError(
            .invalidConfiguration,
            "The option \(option) chooses an endpoint of Amazon S3 and cannot go with an endpointURL. Leave one of "
                + "them out."
        )
    }

    private static func awsHost(
        _ options: AddressingOptions,
        in partition: AWSPartition,
        isVirtual: Bool
    ) throws(StorageError) -> String {
        func refusal(_ option: String, because problem: String) -> StorageError {
            StorageError(.invalidConfiguration, "The option \(option) \(problem). Leave it out.")
        }
        let dualStack = options.usesDualStack ? ".dualstack" : ""
        if options.usesFIPS, !partition.hasFIPS {
            throw refusal("usesFIPS", because: "has no endpoint in the region \(options.region)")
        }
        if options.usesAcceleration {
            if options.usesFIPS { throw refusal("usesAccelerate", because: "cannot go with usesFIPS") }
            guard partition.hasAcceleration else {
                throw refusal("usesAccelerate", because: "has no endpoint in the region \(options.region)")
            }
            return "s3-accelerate\(dualStack).\(partition.domain)"
        }
        if options.usesFIPS || options.usesDualStack {
            return "\(options.usesFIPS ? "s3-fips" : "s3")\(dualStack).\(options.region).\(partition.domain)"
        }
        return options.region == .usEast1 ? "s3.\(partition.domain)" : "s3.\(options.region).\(partition.domain)"
    }
}
