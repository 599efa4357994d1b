import Storages
import StoragesHTTP

/// The rules for names of buckets, which become parts of hosts and paths.
enum BucketName {
    /// Refuses a name that no server accepts for a bucket.
    ///
    /// - Throws: ``StorageError`` with code `invalidConfiguration`.
    static func validate(_ name: String) throws(StorageError) {
        func refusal(_ problem: String) -> StorageError {
            StorageError(.invalidConfiguration, "The bucketName \(StorageError.quoted(name)) \(problem).")
        }
        if name.isEmpty { throw refusal("is empty. Give the name of the bucket") }
        if name.hasPrefix("arn:") {
            throw refusal(
                "is an ARN: access points, Outposts and Object Lambda are not supported. Give the name of a bucket, or "
                    + "the alias of an access point"
            )
        }
        if name.hasSuffix("--x-s3") { throw refusal("is a directory bucket: S3 Express One Zone is not supported") }
        if name.hasSuffix("--xa-s3") {
            throw refusal("is an access point of a directory bucket: S3 Express One Zone is not supported")
        }
        if name.hasSuffix("--op-s3") { throw refusal("is on S3 on Outposts, which is not supported") }
        let isPlain = name.utf8.allSatisfy { HostName.isAlphanumeric($0) || ".-_".utf8.contains($0) }
        guard isPlain, name.utf8.count <= 255, name != ".", name != ".." else {
            throw refusal("is no name of a bucket: 1 to 255 letters, digits, dots, hyphens and underscores")
        }
    }

    /// Returns whether the name can be one label of a host: what every certificate covers.
    static func isHostLabel(_ name: String) -> Bool {
        (3...63).contains(name.utf8.count) && isLabel(name[...])
    }

    /// Returns whether the name can be one or several labels of a host.
    static func isHostName(_ name: String) -> Bool {
        (3...63).contains(name.utf8.count) && !HostName.isIPv4(name)
            && name.split(separator: ".", omittingEmptySubsequences: false).allSatisfy(isLabel)
    }

    private static func isLabel(_ label: Substring) -> Bool {
        !label.isEmpty && label.utf8.first != UInt8(ascii: "-") && label.utf8.last != UInt8(ascii: "-")
            && label.utf8.allSatisfy { byte in
                byte >= 0x61 && byte <= 0x7A || byte >= 0x30 && byte <= 0x39 || byte == UInt8(ascii: "-")
            }
    }
}
