import Storages

/// How keys and queries are written on the wire: as they are signed.
enum S3PathEncoding {
    /// The path of an object: every byte but the unreserved ones and `/` encoded once, in upper case.
    ///
    /// Nothing is taken out: `a//b` and `a/../b` are keys of their own.
    ///
    /// - Parameters:
    ///   - key: The key, not encoded. Default: none, for requests about a bucket.
    ///   - bucket: The bucket when it is in the path. Default: `nil`, when it is in the host's name.
    static func path(key: String = "", bucket: String? = nil) -> String {
        var path: [UInt8] = [UInt8(ascii: "/")]
        path.reserveCapacity(key.utf8.count + (bucket?.utf8.count ?? 0) + 16)
        if let bucket {
            // A slash in a bucket's name must not end it.
            PercentEncoding.append(bucket, keepingSlash: false, to: &path)
            if !key.isEmpty { path.append(UInt8(ascii: "/")) }
        }
        PercentEncoding.append(key, keepingSlash: true, to: &path)
        return String(decoding: path, as: UTF8.self)
    }

    /// The query as it is signed, without `?`: encoded, sorted, each name with `=`.
    static func query(_ parameters: [(name: String, value: String)]) -> String {
        String(decoding: CanonicalQuery(parameters).bytes, as: UTF8.self)
    }
}
