extension EndpointProfile {
    /// The server behind a host; `nil` stands for Amazon S3.
    static func kind(ofHost host: String?) -> S3Server.Kind {
        guard let host, AWSHost(host) == nil else { return .aws }
        return EndpointPattern.service(ofHost: host)?.kind ?? .generic
    }

    /// What is known of a server.
    static func known(_ kind: S3Server.Kind) -> EndpointProfile {
        var profile = EndpointProfile()
        profile.kind = kind
        switch kind {
        case .wasabi, .backblazeB2, .oracleCloud:
            break
        case .automatic, .generic:
            profile.listsInOrder = false
        case .aws:
            profile.createOnPut = .ifNoneMatch
            profile.createOnComplete = .ifNoneMatch
            profile.createOnCopy = .ifNoneMatch
            profile.replaceOnPut = .supported
            // S3 closes idle connections after 5 to 20 seconds.
            profile.maxConnectionAge = .seconds(4)
            profile.defaultChecksum = .crc32
        case .minIO:
            profile.createOnPut = .ifNoneMatch
            profile.createOnCopy = .unsupported
            profile.replaceOnPut = .supported
        case .ceph:
            profile.createOnPut = .ifNoneMatch
            // Both are ignored, and the object is overwritten.
            profile.createOnComplete = .unsupported
            profile.createOnCopy = .unsupported
            profile.replaceOnPut = .supported
            profile.listVersion = 1
            // It would encode keys without saying so; unasked it leaves them as they are.
            profile.encodesUploadListings = false
        case .cloudflareR2:
            profile.createOnPut = .ifNoneMatch
            profile.createOnCopy = .header(name: "cf-copy-destination-if-none-match", value: "*")
            profile.replaceOnPut = .supported
            profile.mayDecompress = true
            profile.maxKeysPerDeletion = 700
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
            profile.createOnPut = .ifNoneMatch
            profile.createOnCopy = .ifNoneMatch
            // Looked at before the parts are put together, and not again: several at once win.
            profile.createOnComplete = .unsupported
            profile.replaceOnPut = .supported
            // Directory by directory: a/1 before a-1.
            profile.listsInOrder = false
        case .rclone:
            // All four are ignored.
            profile.createOnPut = .unsupported
            profile.createOnComplete = .unsupported
            profile.createOnCopy = .unsupported
            profile.replaceOnPut = .unsupported
            profile.copiesParts = false
            // Parts are passed on in their order: what comes before its turn waits in the server's memory.
            profile.maxPartsAtOnce = 1
        }
        return profile
    }
}
