import StoragesHTTP

extension EndpointProfile {
    /// Returns the claims about a server's conditional writes; the evidence for each line is in the article Servers.
    static func conditions(of kind: S3Server.Kind) -> ConditionClaims {
        switch kind {
        case .aws:
            // Documented, for all buckets.
            let both = ConditionalWrites.Conditions(absence: .ifNoneMatch, tag: .quoted)
            return ConditionClaims(
                everywhere: ConditionalWrites(put: both, complete: both, copy: .ifNoneMatch, delete: .quoted)
            )
        case .cloudflareR2:
            // Documented; its buckets keep no versions.
            let both = ConditionalWrites.Conditions(absence: .ifNoneMatch, tag: .quoted)
            return ConditionClaims(
                everywhere: ConditionalWrites(
                    put: both,
                    complete: both,
                    copy: .header(name: "cf-copy-destination-if-none-match", value: "*")
                )
            )
        case .minIO:
            // Other clients rely on it for PutObject, and do not say in which buckets. Copies ignore conditions there.
            return ConditionClaims(
                plain: ConditionalWrites(put: .init(absence: .ifNoneMatch, tag: .quoted), copy: .unsupported),
                versioned: ConditionalWrites(copy: .unsupported)
            )
        case .ceph:
            // Measured: what is ignored overwrites. In buckets with versions that depends on the release, which is
            // tried.
            return ConditionClaims(
                plain: ConditionalWrites(
                    put: .init(absence: .ifNoneMatch, tag: .bare),
                    complete: .unsupported,
                    copy: .unsupported
                ),
                versioned: ConditionalWrites(complete: .unsupported, copy: .unsupported)
            )
        case .alibabaOSS:
            // Documented; a service with such a header says that buckets with versions ignore it.
            return forbiddingOverwrites("x-oss-forbid-overwrite")
        case .tencentCOS:
            return forbiddingOverwrites("x-cos-forbid-overwrite")
        case .googleCloudStorage:
            // Its conditions are about generations, not about entity tags.
            return ConditionClaims(everywhere: .unsupported)
        case .rclone:
            // Measured: all are ignored.
            return ConditionClaims(everywhere: .unsupported)
        case .seaweedFS:
            // Measured. Conditions of multipart uploads are evaluated before the parts are put together, and not again:
            // several win at once.
            return ConditionClaims(
                plain: ConditionalWrites(
                    put: .init(absence: .ifNoneMatch, tag: .quoted),
                    complete: .unsupported,
                    copy: .ifNoneMatch
                ),
                versioned: ConditionalWrites(complete: .unsupported)
            )
        case .automatic, .generic, .digitalOceanSpaces, .wasabi, .backblazeB2, .huaweiOBS, .ibmCloud, .oracleCloud,
            .scaleway, .storj, .tigris:
            return ConditionClaims()
        }
    }

    private static func forbiddingOverwrites(_ name: String) -> ConditionClaims {
        var plain = ConditionalWrites()
        plain.put.absence = .header(name: name, value: "true")
        var versioned = ConditionalWrites()
        versioned.put.absence = .unsupported
        return ConditionClaims(plain: plain, versioned: versioned)
    }

    /// Returns the conditions that are known to be unsupported by a server that only its response identifies, where a
    /// trial would see too little.
    ///
    /// - Parameter headers: The headers of a response to a write.
    static func unsupportedConditions(ofServerWith headers: HTTPHeaders) -> ConditionalWrites? {
        if headers["Server"]?.hasPrefix("SeaweedFS") == true { return conditions(of: .seaweedFS).plain }
        if headers["X-Trans-Id"] != nil, headers["X-Openstack-Request-Id"] != nil {
            // Measured: OpenStack Swift looks before it takes the bytes, and not again.
            return .unsupported
        }
        return nil
    }
}

extension ConditionClaims {
    /// Applies what the user says of the server, over what is known of it.
    mutating func apply(_ conditionalWrites: Bool) {
        change { writes in
            guard conditionalWrites else {
                writes = .unsupported
                return
            }
            if !writes.put.absence.isSupported { writes.put.absence = .ifNoneMatch }
            if !writes.put.tag.isSupported { writes.put.tag = .quoted }
        }
        // The same in all buckets.
        if conditionalWrites { versioned.put = plain.put }
    }
}
