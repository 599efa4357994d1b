import Storages
import StoragesHTTP

/// Turns a user's metadata into headers `x-amz-meta-…`, and back.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html>
struct UserMetadata: Hashable, Sendable {
    /// The most bytes of names, without their prefix, and values together: the 2 KiB of S3, less those of
    /// ``UploadNonce``.
    static let byteLimit = 2048 - UploadNonce.byteCount

    /// The encoding of values.
    var encoding = S3MetadataEncoding.ascii

    /// Returns the headers, sorted by name.
    ///
    /// - Parameter metadata: Names without `x-amz-meta-`, whose case is lost, and values.
    /// - Returns: The headers, those with empty values among them.
    /// - Throws: ``StorageError`` with code `invalidConfiguration` for names that are no tokens or differ by case only,
    ///   control characters, the library's own name, values that are not ASCII and not encoded, and more than
    ///   ``byteLimit``.
    func headers(_ metadata: [String: String]) throws(StorageError) -> HTTPHeaders {
        var values: [String: String] = [:]
        var byteCount = 0
        for (key, value) in metadata {
            guard !key.isEmpty else {
                throw StorageError(.invalidConfiguration, "A name of the metadata is empty. Give it a name.")
            }
            let name = Self.prefix + key.lowercased()
            guard name != UploadNonce.header else {
                throw StorageError(
                    .invalidConfiguration,
                    "The name \(StorageError.quoted(key)) of the metadata is the library's own. Choose another one."
                )
            }
            // Before the encoding, which would let a line break through as text.
            try HeaderValidation.checkName(name)
            try HeaderValidation.checkValue(value, of: name)
            let written = HeaderValidation.trimmed(try encoded(value, of: key))
            byteCount += key.utf8.count + written.utf8.count
            guard values.updateValue(written, forKey: name) == nil else {
                throw StorageError(
                    .invalidConfiguration,
                    "The metadata has the name \(StorageError.quoted(key)) twice, in other letters. S3 keeps names in "
                        + "lower case: rename one."
                )
            }
        }
        guard byteCount <= Self.byteLimit else {
            throw StorageError(
                .invalidConfiguration,
                "The metadata has \(byteCount) bytes in names and values, and S3 has room for \(Self.byteLimit). "
                    + "Shorten it."
            )
        }
        return HTTPHeaders(values.sorted { $0.key < $1.key }.map { HTTPHeaders.Field(name: $0.key, value: $0.value) })
    }

    /// Returns the metadata in the headers of a response, without what this library keeps there for itself.
    func values(in headers: HTTPHeaders) -> [String: String] {
        var values: [String: String] = [:]
        for field in Self.fields(in: headers).fields {
            values[String(field.name.dropFirst(Self.prefix.count))] = decoded(field.value)
        }
        return values
    }

    /// Returns the headers of a response that are metadata, as they came, without what this library keeps there for
    /// itself.
    static func fields(in headers: HTTPHeaders) -> HTTPHeaders {
        HTTPHeaders(
            headers.fields.compactMap { field in
                guard CanonicalHeaders.hasPrefix("x-amz-meta-", field.name),
                    !HTTPHeaders.areEqual(field.name, UploadNonce.header)
                else { return nil }
                return HTTPHeaders.Field(name: field.name.lowercased(), value: field.value)
            }
        )
    }

    /// Returns whether metadata that other clients have written can be sent, with the nonce beside it.
    static func isSendable(_ fields: HTTPHeaders) -> Bool {
        let byteCount = fields.fields.reduce(0) { $0 + $1.name.utf8.count - prefix.utf8.count + $1.value.utf8.count }
        return byteCount <= byteLimit && fields.fields.allSatisfy { $0.value.utf8.allSatisfy { $0 < 0x80 } }
    }

    private static let prefix = "x-amz-meta-"

    private func encoded(_ value: String, of name: String) throws(StorageError) -> String {
        switch encoding {
        case .ascii:
            // Servers disagree about the encoding of other bytes: the signature fails, or something else comes back.
            guard value.utf8.allSatisfy({ $0 < 0x80 }) else {
                throw StorageError(
                    .invalidConfiguration,
                    "The metadata \(StorageError.quoted(name)) has a value that is not ASCII. Encode it, or set the "
                        + "option metadataEncoding to .percent."
                )
            }
            return value
        case .percent:
            // Blanks at the ends are cut off on the way.
            let inner = HeaderValidation.trimmed(value).utf8
            guard inner.count == value.utf8.count else { return PercentEncoding.encode(component: value) }
            var result = ""
            for byte in inner {
                if byte < 0x80, byte != UInt8(ascii: "%") {
                    result.unicodeScalars.append(Unicode.Scalar(byte))
                } else {
                    result += "%" + [byte].hexadecimal.uppercased()
                }
            }
            return result
        }
    }

    private func decoded(_ value: String) -> String {
        switch encoding {
        case .ascii: value
        case .percent: PercentEncoding.decode(value.utf8) ?? value
        }
    }
}

/// A random nonce in the object's metadata that identifies the upload that made the object.
///
/// A conditional upload may succeed although its response is lost; its retry is then refused because of its own object.
/// A HEAD request compares the nonce to find that out. Readers of the metadata do not see the nonce.
enum UploadNonce {
    static let name = "stored-files-upload"
    static let header = "x-amz-meta-" + name

    /// The number of bytes that it takes of the room for metadata.
    static let byteCount = name.utf8.count + 26

    static func make() -> String { StorageName.timeOrderedID() }
}
