/// Values of `Content-Disposition`: whether a browser saves a file or shows it, and the name it is saved under (RFC
/// 6266).
///
/// ```swift
/// let disposition = ContentDisposition.attachment(filename: "naïve.txt")
/// let url = try await file.url(options: URLOptions(contentDisposition: disposition))
/// ```
public enum ContentDisposition {
    /// The browser offers to save the file.
    ///
    /// A name that is not plain ASCII is written twice: as `filename` with `_` in the place of what old browsers may
    /// misread, and as `filename*` in the UTF-8 form of RFC 8187, which others prefer. The result is ASCII:
    ///
    /// ```
    /// attachment; filename="na_ve.txt"; filename*=UTF-8''na%C3%AFve.txt
    /// ```
    ///
    /// - Parameter filename: The name to save it under, as its uploader called it. Slashes and backslashes,
    ///   which would name a folder, and control characters become `_`. Default: none, which leaves the name to the URL.
    /// - Returns: A value that every header may have.
    /// - Complexity: O(n) in the length of the name.
    public static func attachment(filename: String? = nil) -> String {
        value("attachment", filename)
    }

    /// The browser shows the file when it can; the name is for saving it then.
    ///
    /// - Parameter filename: As for ``attachment(filename:)``.
    /// - Returns: A value that every header may have.
    /// - Complexity: O(n) in the length of the name.
    public static func inline(filename: String? = nil) -> String {
        value("inline", filename)
    }

    private static func value(_ kind: String, _ filename: String?) -> String {
        guard let filename, !filename.isEmpty else { return kind }
        let safe = String(String.UnicodeScalarView(filename.unicodeScalars.map { isUnsafe($0) ? "_" : $0 }))
        // A percent sign before hexadecimal digits is decoded by some browsers, and a quote would have to be escaped,
        // which others do not understand (RFC 6266 appendix D): both are left to filename*.
        let ascii = String(
            String.UnicodeScalarView(
                safe.unicodeScalars.map { $0.isASCII && $0 != "\"" && $0 != "%" ? $0 : "_" }
            )
        )
        let plain = "\(kind); filename=\"\(ascii)\""
        return ascii == safe ? plain : plain + "; filename*=UTF-8''" + PercentEncoding.encode(component: safe)
    }

    private static func isUnsafe(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "/", "\\": true
        default: scalar.properties.generalCategory == .control
        }
    }
}
