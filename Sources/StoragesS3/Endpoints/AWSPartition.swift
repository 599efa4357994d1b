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
