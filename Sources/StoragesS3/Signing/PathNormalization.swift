/// How services other than S3 see a path: as RFC 3986 section 5.2.4, and without empty segments.
enum PathNormalization {
    static func normalized(_ path: String) -> String {
        var segments: [Substring] = []
        for segment in path.split(separator: "/") {
            switch segment {
            case ".": continue
            case "..": segments = segments.dropLast()
            default: segments.append(segment)
            }
        }
        let endsWithSlash = !segments.isEmpty && (path.hasSuffix("/") || path.hasSuffix("/.") || path.hasSuffix("/.."))
        return "/" + segments.joined(separator: "/") + (endsWithSlash ? "/" : "")
    }
}
