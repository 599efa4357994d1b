/// The forms of the hosts of known services.
enum EndpointPattern {
    /// The place of the region in a service's hosts.
    enum RegionPlace: Hashable, Sendable {
        /// No place, or one that is not parsed.
        case none
        /// The label next to the domain; what comes before is the service and perhaps a bucket.
        case label
        /// The only region that there is.
        case one(Region)
    }

    /// The domain of a hosted service.
    struct Service: Hashable, Sendable {
        var domain: String
        var kind: S3Server.Kind
        var place: RegionPlace

        fileprivate init(_ domain: String, _ kind: S3Server.Kind, _ place: RegionPlace = .none) {
            self.domain = domain
            self.kind = kind
            self.place = place
        }
    }

    private static let services = [
        Service("r2.cloudflarestorage.com", .cloudflareR2, .one(.auto)),
        Service("storage.googleapis.com", .googleCloudStorage),
        Service("digitaloceanspaces.com", .digitalOceanSpaces, .label),
        Service("wasabisys.com", .wasabi, .label),
        Service("backblazeb2.com", .backblazeB2, .label),
        Service("aliyuncs.com", .alibabaOSS),
        Service("myqcloud.com", .tencentCOS, .label),
        Service("myhuaweicloud.com", .huaweiOBS, .label),
        Service("cloud-object-storage.appdomain.cloud", .ibmCloud),
        Service("oraclecloud.com", .oracleCloud),
        Service("oci.customer-oci.com", .oracleCloud),
        Service("scw.cloud", .scaleway, .label),
        Service("storjshare.io", .storj),
        Service("t3.storage.dev", .tigris, .one(.auto)),
        Service("fly.storage.tigris.dev", .tigris, .one(.auto)),
    ]

    /// Returns the service whose domain a host is, or is below; `nil` for hosts that are not known, and for Amazon's.
    static func service(ofHost host: String) -> Service? {
        services.first { host == $0.domain || host.hasSuffix("." + $0.domain) }
    }

    /// Returns the region that a host names; `nil` when it names none, or is not known.
    static func region(inHost host: String) -> Region? {
        if let aws = AWSHost(host) { return aws.region }
        guard let service = service(ofHost: host) else { return nil }
        switch service.place {
        case .none: return nil
        case .one(let region): return region
        case .label:
            let label = host.dropLast(service.domain.utf8.count).split(separator: ".").last.map(String.init)
            return label.flatMap { ["s3", "cos", "obs", "cdn"].contains($0) ? nil : Region($0) }
        }
    }
}
