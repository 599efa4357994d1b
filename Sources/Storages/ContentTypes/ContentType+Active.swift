extension ContentType {
    /// A Boolean value that indicates whether a browser that opens a file of this type may run code in it with the
    /// rights of the site that serves it.
    ///
    /// Such files must be served as attachments, or from a domain of their own: HTML, XML of every kind (SVG too, and
    /// whatever may name a style sheet), scripts, saved web pages.
    public var isActiveContent: Bool {
        if rawValue.hasSuffix("+xml") || rawValue.hasSuffix("/xml") { return true }
        return ContentType.active.contains(rawValue)
    }

    /// A Boolean value that indicates whether the type is `image/…`.
    public var isImage: Bool { rawValue.hasPrefix("image/") }

    private static let active: Set<String> = [
        "text/html", "text/xsl", "text/javascript", "application/javascript", "application/x-javascript",
        "text/ecmascript", "application/ecmascript", "text/jscript", "text/vbscript", "text/cache-manifest",
        "multipart/related", "multipart/x-mixed-replace", "message/rfc822", "application/x-mimearchive",
        "application/x-shockwave-flash", "application/xml-dtd", "application/xslt",
    ]
}
