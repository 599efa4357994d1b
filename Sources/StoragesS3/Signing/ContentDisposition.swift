import Storages

/// Values of `Content-Disposition` (RFC 6266).
enum ContentDisposition {
    enum Kind: String, Sendable {
        /// The browser offers to save the file.
        case attachment
        /// The browser shows the file when it can.
        case inline
    }

    /// Writes a value with the name under which a file shall be saved.
    ///
    /// A name that is not plain ASCII is written twice: as `filename` with `_` in the place of what old browsers may
    /// misread, and as `filename*` in the UTF-8 form of RFC 8187, which others prefer. The result is ASCII.
    ///
    /// ```
    /// attachment; filename="na_ve.txt"; filename*=UTF-8''na%C3%AFve.txt
    /// ```
    ///
    /// - Parameters:
    ///   - kind: Whether to save or to show.
    ///   - filename: Slashes and backslashes, which would name a folder, and control characters become `_`. `nil` or
    ///     empty leaves the name to the URL.
    static func value(_ kind: Kind, filename: String?) -> String {
        guard let filename, !filename.isEmpty else { return kind.rawValue }
        let safe = String(String.UnicodeScalarView(filename.unicodeScalars.map { isUnsafe($0) ? "_" : $0 }))
        // A percent sign before hexadecimal digits is decoded by some browsers, and a quote would have to be escaped,
        // which others do not understand (RFC 6266 appendix D): both are left to filename*.
        let ascii = String(
            String.UnicodeScalarView(
                safe.unicodeScalars.map { $0.isASCII && $0 != "\"" && $0 != "%" ? $0 : "_" }
            )
        )
        let plain = "\(kind.rawValue); filename=\"\(ascii)\""
        return ascii == safe ? plain : plain + "; filename*=UTF-8''" + PercentEncoding.encode(component: safe)
    }

    private static func isUnsafe(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "/", "\\": true
        default: scalar.properties.generalCategory == .control
        }
    }
}
