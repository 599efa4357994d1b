/// What hosts of known services say about themselves.
enum EndpointPattern {
    /// The region that a host names; `nil` when it names none, or is not known.
    static func region(inHost host: String) -> Region? {
        if let aws = AWSHost(host) { return aws.region }
        if isWithin(host, "r2.cloudflarestorage.com") || isWithin(host, "t3.storage.dev")
            || host == "fly.storage.tigris.dev"
        {
            return .auto
        }
        guard let domain = domains.first(where: { host.hasSuffix("." + $0) }) else { return nil }
        // The region is the label next to the domain; what comes before is the service and perhaps a bucket.
        let label = host.dropLast(domain.utf8.count + 1).split(separator: ".").last.map(String.init)
        return label.flatMap { ["s3", "cos", "obs", "cdn"].contains($0) ? nil : Region($0) }
    }

    private static let domains = [
        "digitaloceanspaces.com", "wasabisys.com", "backblazeb2.com", "scw.cloud", "myqcloud.com", "myhuaweicloud.com",
    ]

    /// Whether a host is a domain or below it.
    static func isWithin(_ host: String, _ domain: String) -> Bool {
        host == domain || host.hasSuffix("." + domain)
    }
}
