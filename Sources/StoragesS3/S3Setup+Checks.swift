import Storages

// Settings that make no sense are refused when the storage is made, and not when the first file comes.

extension S3Setup {
    private static func check(_ option: String, _ isGood: Bool, _ remedy: String) throws {
        guard !isGood else { return }
        throw StorageError(.invalidConfiguration, "The option \(option) makes no sense. \(remedy)")
    }

    func checkNumbers() throws {
        let transfers = options.transfers
        try Self.check("retries.maxAttempts", options.retries.maxAttempts >= 1, "Give 1 or more.")
        try Self.check("maxConnections", options.maxConnections >= 1, "Give 1 or more.")
        try Self.check("transfers.uploadConcurrency", transfers.uploadConcurrency >= 1, "Give 1 or more.")
        try Self.check("transfers.downloadConcurrency", transfers.downloadConcurrency >= 1, "Give 1 or more.")
        let parts: ClosedRange<Int64> = (5 << 20)...(1 << 30)
        try Self.check("transfers.partSize", parts.contains(transfers.partSize), "Give 5 MiB to 1 GiB.")
        try Self.check(
            "transfers.partSizeOfUnknownLength",
            parts.contains(transfers.partSizeOfUnknownLength),
            "Give 5 MiB to 1 GiB."
        )
        try Self.check(
            "transfers.multipartThreshold",
            (0...(1 << 30)).contains(transfers.multipartThreshold),
            "Give 0 to 1 GiB: a file below it is held in memory."
        )
        try Self.check(
            "transfers.rangeSize",
            ((1 << 20)...(1 << 30)).contains(transfers.rangeSize),
            "Give 1 MiB to 1 GiB."
        )
        try Self.check("transfers.memoryBudget", transfers.memoryBudget >= 1 << 20, "Give 1 MiB or more.")
    }

    func checkDurations() throws {
        let day = Duration.seconds(86_400)
        let timeouts: [(String, Duration?)] = [
            ("connectTimeout", options.connectTimeout), ("stallTimeout", options.stallTimeout),
            ("idleConnectionAge", options.idleConnectionAge),
            ("transfers.sourceTimeout", options.transfers.sourceTimeout),
            ("transfers.waitLimit", options.transfers.waitLimit),
        ]
        for (option, timeout) in timeouts {
            guard let timeout else { continue }
            try Self.check(option, (.milliseconds(1)...day).contains(timeout), "Give 1 millisecond to 24 hours.")
        }
        let delays = [
            ("retries.baseDelay", options.retries.baseDelay),
            ("retries.throttledBaseDelay", options.retries.throttledBaseDelay),
            ("retries.maxDelay", options.retries.maxDelay),
        ]
        for (option, delay) in delays {
            try Self.check(option, (.zero...day).contains(delay), "Give 0 seconds to 24 hours.")
        }
        let lifetimes: [(String, Duration?)] = [
            ("urlLifetime", options.urlLifetime), ("urlQuantum", options.urlQuantum),
        ]
        for (option, lifetime) in lifetimes {
            guard let lifetime else { continue }
            let isGood = (.seconds(1)...day * 7).contains(lifetime)
            try Self.check(option, isGood, "Give 1 second to 7 days, which is the longest that S3 allows.")
        }
    }

    /// Checks the URLs of services that are asked later, or never.
    func checkServiceURLs() throws {
        if let url = options.stsEndpointURL {
            _ = try ServiceURL(url, from: "the option stsEndpointURL", requiresTLS: true)
        }
        _ = try options.instanceMetadata.endpoint()
    }
}
