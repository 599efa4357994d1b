import Storages

/// A domain in front of the bucket at which everybody finds the files, such as one of a content delivery network.
struct CustomDomain: Hashable, Sendable {
    let scheme: URLScheme
    /// The value of the header `Host`.
    let host: String
    /// The path in front of all keys, such as `/media`, or nothing.
    let pathPrefix: String

    /// Parses `cdn.example.org`, also with a port and a path in front of all keys.
    ///
    /// - Throws: ``StorageError`` with code `invalidConfiguration`.
    init(_ text: String, scheme: URLScheme = .https) throws(StorageError) {
        self.scheme = scheme
        let authority = text.prefix { $0 != "/" }
        var path = text.dropFirst(authority.count)
        while path.utf8.last == UInt8(ascii: "/") { path = path.dropLast() }
        let isScheme = text.contains("://")
        let address = try EndpointAddress(String(isScheme ? text[...] : authority), option: "customDomain")
        guard PercentEncoding.isPath(path) else {
            throw StorageError(
                .invalidConfiguration,
                "The customDomain has a path with characters that a path of a URL does not have. Percent-encode it, "
                    + "and leave query and fragment out."
            )
        }
        host = address.authority(for: scheme)
        pathPrefix = String(path)
    }

    /// Returns the path of an object, percent-encoded.
    func path(forKey key: String) -> String {
        pathPrefix + "/" + PercentEncoding.encode(path: key)
    }

    /// Returns the URL of an object.
    func url(forKey key: String) -> String {
        scheme.rawValue + "://" + host + path(forKey: key)
    }
}
