import Storages

/// Turns a user's metadata into fields `x-amz-meta-…`.
enum UserMetadata {
    /// What happens to values that are not ASCII, of which headers have no agreed form.
    enum NonASCII: Hashable, Sendable {
        /// They are an error.
        case refused
        /// All bytes but printable ASCII, and `%` itself, are percent-encoded; whoever reads the metadata decodes it.
        ///
        /// With it every `%` is encoded, in ASCII values too, so that decoding is right for all of them.
        case percentEncoded
    }

    /// The most bytes of names, without their prefix, and values together, as S3 counts them.
    static let byteLimit = 2048

    /// Makes the fields, sorted by name.
    ///
    /// - Parameters:
    ///   - metadata: Names, with or without `x-amz-meta-`, whose case is lost, and values.
    ///   - nonASCII: What happens to values that are not ASCII. Default: they are refused.
    /// - Returns: The fields, those with empty values among them.
    /// - Throws: ``StorageError`` with code `invalidConfiguration` for names that are no tokens or differ by case only,
    ///   control characters, and values that are not ASCII; with code `tooLarge` beyond 2 KiB.
    static func headers(
        _ metadata: [String: String],
        nonASCII: NonASCII = .refused
    ) throws -> HeaderValidation.Result {
        var values: [String: String] = [:]
        for (key, value) in metadata {
            let lowercased = key.lowercased()
            let name = lowercased.hasPrefix(prefix) ? lowercased : prefix + lowercased
            guard name.utf8.count > prefix.utf8.count else {
                throw StorageError(.invalidConfiguration, "A name of the metadata is empty. Give it a name.")
            }
            // Before the encoding, which would let a line break through as text.
            try HeaderValidation.checkName(name)
            try HeaderValidation.checkValue(value, of: name)
            guard values.updateValue(try encoded(value, of: name, nonASCII), forKey: name) == nil else {
                throw StorageError(
                    .invalidConfiguration,
                    "Two names of the metadata are \(StorageError.quoted(name)) once they are in lower case, which is "
                        + "how S3 keeps them. Rename one."
                )
            }
        }
        let fields = values.sorted { $0.key < $1.key }.map { HTTPHeaders.Field(name: $0.key, value: $0.value) }
        let result = try HeaderValidation.check(HTTPHeaders(fields))
        let size = result.headers.fields.reduce(0) { size, field in
            size + field.name.utf8.count - prefix.utf8.count + field.value.utf8.count
        }
        guard size <= byteLimit else {
            throw StorageError(
                .tooLarge,
                "The metadata has \(size) bytes in names and values, and S3 keeps at most \(byteLimit). Shorten it."
            )
        }
        return result
    }

    /// What the fields of an answer say, without what this library keeps there for itself.
    static func values(in headers: HTTPHeaders) -> [String: String] {
        var values: [String: String] = [:]
        for field in headers.fields {
            let name = field.name.lowercased()
            guard name.hasPrefix(prefix), name != UploadNonce.header else { continue }
            values[String(name.dropFirst(prefix.count))] = field.value
        }
        return values
    }

    private static let prefix = "x-amz-meta-"

    private static func encoded(_ value: String, of name: String, _ nonASCII: NonASCII) throws -> String {
        switch nonASCII {
        case .refused:
            guard value.utf8.allSatisfy({ $0 < 0x80 }) else {
                throw StorageError(
                    .invalidConfiguration,
                    "The value of the metadata \(StorageError.quoted(name)) is not ASCII. Encode it."
                )
            }
            return value
        case .percentEncoded:
            var result = ""
            for byte in value.utf8 {
                if byte < 0x80, byte != UInt8(ascii: "%") {
                    result.unicodeScalars.append(Unicode.Scalar(byte))
                } else {
                    result += "%" + [byte].hexadecimal.uppercased()
                }
            }
            return result
        }
    }
}
