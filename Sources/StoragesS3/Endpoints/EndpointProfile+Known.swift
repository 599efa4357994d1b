extension EndpointProfile {
    /// The domains of hosted services.
    private static let domains: [(domain: String, kind: S3Server.Kind)] = [
        ("r2.cloudflarestorage.com", .cloudflareR2),
        ("storage.googleapis.com", .googleCloudStorage),
        ("digitaloceanspaces.com", .digitalOceanSpaces),
        ("wasabisys.com", .wasabi),
        ("backblazeb2.com", .backblazeB2),
        ("aliyuncs.com", .alibabaOSS),
        ("myqcloud.com", .tencentCOS),
        ("myhuaweicloud.com", .huaweiOBS),
        ("cloud-object-storage.appdomain.cloud", .ibmCloud),
        ("oraclecloud.com", .oracleCloud),
        ("oci.customer-oci.com", .oracleCloud),
        ("scw.cloud", .scaleway),
        ("storjshare.io", .storj),
        ("t3.storage.dev", .tigris),
        ("fly.storage.tigris.dev", .tigris),
    ]

    /// The server behind a host; `nil` stands for Amazon S3.
    static func kind(ofHost host: String?) -> S3Server.Kind {
        guard let host, AWSHost(host) == nil else { return .aws }
        return domains.first { EndpointPattern.isWithin(host, $0.domain) }?.kind ?? .generic
    }

    /// What is known of a server.
    static func known(_ kind: S3Server.Kind) -> EndpointProfile {
        var profile = EndpointProfile()
        profile.kind = kind
        switch kind {
        case .automatic, .generic, .wasabi:
            break
        case .aws:
            profile.createOnPut = .ifNoneMatch
            profile.createOnComplete = .ifNoneMatch
            profile.createOnCopy = .ifNoneMatch
            profile.replaceOnPut = .supported
            profile.entityTagIsMD5 = true
            // S3 closes idle connections after 5 to 20 seconds.
            profile.maxConnectionAge = .seconds(4)
            profile.defaultChecksum = .crc32
        case .minIO:
            profile.createOnPut = .ifNoneMatch
            profile.createOnCopy = .unsupported
            profile.replaceOnPut = .supported
            profile.entityTagIsMD5 = true
            profile.hasObjectACLs = false
        case .ceph:
            profile.createOnPut = .ifNoneMatch
            // Both are ignored, and the object is overwritten.
            profile.createOnComplete = .unsupported
            profile.createOnCopy = .unsupported
            profile.replaceOnPut = .supported
            profile.entityTagIsMD5 = true
            profile.listVersion = 1
        case .cloudflareR2:
            profile.createOnPut = .ifNoneMatch
            profile.createOnCopy = .header(name: "cf-copy-destination-if-none-match", value: "*")
            profile.replaceOnPut = .supported
            profile.entityTagIsMD5 = true
            profile.overridesResponsesOfHead = false
            profile.mayDecompress = true
            profile.maxKeysPerDeletion = 700
            profile.requiresUniformParts = true
            profile.defaultRegion = .auto
        case .googleCloudStorage:
            // Its conditions are about generations, not about entity tags.
            profile.createOnPut = .unsupported
            profile.createOnComplete = .unsupported
            profile.createOnCopy = .unsupported
            profile.replaceOnPut = .unsupported
            profile.mayDecompress = true
            profile.deletesInBulk = false
            profile.copiesParts = false
            profile.defaultRegion = .auto
        case .digitalOceanSpaces:
            profile.encodesListings = false
        case .backblazeB2, .oracleCloud:
            profile.hasObjectACLs = false
        case .alibabaOSS:
            profile.createOnPut = .header(name: "x-oss-forbid-overwrite", value: "true")
            profile.deletesInBulk = false
            profile.requiresVirtualHost = true
        case .tencentCOS:
            profile.createOnPut = .header(name: "x-cos-forbid-overwrite", value: "true")
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
            profile.listVersion = 1
            profile.encodesListings = false
        case .rclone:
            // All four are ignored.
            profile.createOnPut = .unsupported
            profile.createOnComplete = .unsupported
            profile.createOnCopy = .unsupported
            profile.replaceOnPut = .unsupported
            profile.requiresOrderedParts = true
            profile.copiesParts = false
        }
        return profile
    }
}
