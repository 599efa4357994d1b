/// How queries are written on the wire: as they are signed.
enum S3PathEncoding {
    /// The query as it is signed, without `?`: encoded, sorted, each name with `=`.
    static func query(_ parameters: [(name: String, value: String)]) -> String {
        String(decoding: CanonicalQuery(parameters).bytes, as: UTF8.self)
    }
}
