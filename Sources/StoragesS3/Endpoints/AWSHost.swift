/// A host of Amazon S3, without a bucket.
struct AWSHost: Hashable, Sendable {
    /// The region; `nil` for a host that serves all regions, or whose form is not known.
    var region: Region?
    /// The domain: `amazonaws.com` and its like.
    var domain: String
    var isDualStack = false
    var isFIPS = false
    var isAccelerated = false
    /// A Boolean value that indicates whether the host is an AWS PrivateLink endpoint in a private network,
    /// which cannot be derived from a region.
    var isPrivateLink = false

    /// Returns the service of Amazon behind a host that looks like one of S3 and does not take requests of buckets;
    /// `nil` for all other hosts.
    static func otherService(at host: String) -> String? {
        guard let (_, labels) = split(host) else { return nil }
        guard let service = labels.last(where: { $0 == "s3" || $0.hasPrefix("s3-") }) else { return nil }
        return otherServices.first { service == $0.label || service.hasPrefix($0.label + "-") }?.name
    }

    private static let otherServices = [
        (label: "s3-website", name: "static websites"), (label: "s3-control", name: "settings of accounts"),
        (label: "s3-object-lambda", name: "S3 Object Lambda"), (label: "s3-outposts", name: "S3 on Outposts"),
    ]

    /// Splits a host into Amazon's domain and the labels before it; `nil` for hosts of others.
    private static func split(_ host: String) -> (domain: String, labels: [String])? {
        guard let domain = AWSPartition.domain(ofHost: host) else { return nil }
        return (domain, host.dropLast(domain.utf8.count + 1).split(separator: ".").map(String.init))
    }

    /// Parses `s3.eu-west-1.amazonaws.com`, its older, dual-stack, FIPS and accelerated forms, and those of private
    /// links, with or without a bucket in front; `nil` for all other hosts.
    init?(_ host: String) {
        guard let (domain, labels) = Self.split(host) else { return nil }
        guard let service = labels.lastIndex(where: { $0 == "s3" || $0.hasPrefix("s3-") }) else { return nil }
        var rest = labels[(service + 1)...]
        if rest.first == "dualstack" {
            isDualStack = true
            rest = rest.dropFirst()
        }
        if rest.last == "vpce" {
            isPrivateLink = true
            rest = rest.dropLast()
        }
        guard rest.count <= 1 else { return nil }
        isFIPS = labels[service].hasPrefix("s3-fips")
        isAccelerated = labels[service] == "s3-accelerate"
        self.domain = domain
        if let name = rest.first {
            guard let region = Region(name) else { return nil }
            self.region = region
        } else {
            switch labels[service] {
            case "s3", "s3-external-1": region = domain == AWSPartition.commercial.domain ? .usEast1 : nil
            case "s3-accelerate": region = nil
            case let label:
                // The form of the first years: s3-eu-west-1.
                let name = label.dropFirst(3)
                region = Region(String(name.hasPrefix("fips-") ? name.dropFirst(5) : name))
            }
        }
    }
}

/// A partition of Amazon's cloud, which shares a domain, and nothing else with the other partitions.
struct AWSPartition: Hashable, Sendable {
    /// The domain without a leading dot.
    var domain: String
    /// The prefix of the names of its regions; empty for all that begin otherwise.
    var regionPrefix: String
    var hasFIPS = true
    var hasAcceleration = false

    static let commercial = AWSPartition(domain: "amazonaws.com", regionPrefix: "", hasAcceleration: true)

    /// The other partitions, the more special before the more general: prefixes of regions, and suffixes of domains.
    private static let special = [
        AWSPartition(domain: "amazonaws.com.cn", regionPrefix: "cn-", hasFIPS: false),
        AWSPartition(domain: "amazonaws.com", regionPrefix: "us-gov-"),
        AWSPartition(domain: "amazonaws.eu", regionPrefix: "eusc-"),
        AWSPartition(domain: "c2s.ic.gov", regionPrefix: "us-iso-"),
        AWSPartition(domain: "sc2s.sgov.gov", regionPrefix: "us-isob-"),
        AWSPartition(domain: "cloud.adc-e.uk", regionPrefix: "eu-isoe-"),
        AWSPartition(domain: "csp.hci.ic.gov", regionPrefix: "us-isof-"),
    ]

    /// Returns the partition that a region is in.
    static func containing(_ region: Region) -> AWSPartition {
        special.first { region.name.hasPrefix($0.regionPrefix) } ?? commercial
    }

    /// Returns the domain of Amazon that a host is in; `nil` for other hosts.
    static func domain(ofHost host: String) -> String? {
        ([commercial] + special).first { host.hasSuffix("." + $0.domain) }?.domain
    }
}
