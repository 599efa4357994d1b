/// The form of queries when they are sent: as they are signed.
enum S3PathEncoding {
    /// Returns the query as it is signed, without `?`: encoded, sorted, each name with `=`.
    static func query(_ parameters: [(name: String, value: String)]) -> String {
        String(decoding: CanonicalQuery(parameters).bytes, as: UTF8.self)
    }
}
