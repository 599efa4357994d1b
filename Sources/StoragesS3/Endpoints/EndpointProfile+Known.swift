extension EndpointProfile {
    /// Returns the kind of the server behind a host; `nil` stands for Amazon S3.
    static func kind(ofHost host: String?) -> S3Server.Kind {
        guard let host, AWSHost(host) == nil else { return .aws }
        return EndpointPattern.service(ofHost: host)?.kind ?? .generic
    }

    /// Returns what is known of a kind of server.
    static func known(_ kind: S3Server.Kind) -> EndpointProfile {
        var profile = EndpointProfile()
        profile.kind = kind
        profile.conditions = conditions(of: kind)
        switch kind {
        case .wasabi, .backblazeB2, .oracleCloud, .minIO:
            break
        case .automatic, .generic:
            profile.listsInOrder = false
        case .aws:
            // S3 closes idle connections after 5 to 20 seconds.
            profile.maxConnectionAge = .seconds(4)
            profile.defaultChecksum = .crc32
        case .ceph:
            profile.listVersion = 1
            // With `encoding-type` it would encode keys without saying so; without it, keys stay as they are.
            profile.encodesUploadListings = false
        case .cloudflareR2:
            profile.mayDecompress = true
            profile.maxKeysPerDeletion = 700
            profile.defaultRegion = .auto
        case .googleCloudStorage:
            profile.mayDecompress = true
            profile.deletesInBulk = false
            profile.copiesParts = false
            profile.defaultRegion = .auto
        case .digitalOceanSpaces:
            profile.encodesListings = false
        case .alibabaOSS:
            profile.deletesInBulk = false
            profile.requiresVirtualHost = true
        case .tencentCOS:
            profile.listVersion = 1
        case .huaweiOBS:
            profile.listVersion = 1
            // With encoded keys its listing begins again and again.
            profile.encodesListings = false
        case .ibmCloud:
            profile.listVersion = 1
        case .scaleway:
            profile.maxParts = 1000
        case .storj:
            profile.minPartSize = 64 << 20
            profile.copiesParts = false
        case .tigris:
            profile.defaultRegion = .auto
        case .seaweedFS:
            // Directory by directory: a/1 before a-1.
            profile.listsInOrder = false
        case .rclone:
            profile.copiesParts = false
            // Parts are passed on in their order: what comes before its turn waits in the server's memory.
            profile.maxPartsAtOnce = 1
        }
        return profile
    }
}
