/// The form of a path that services other than S3 sign: without dot segments and empty segments.
///
/// <https://www.rfc-editor.org/rfc/rfc3986#section-5.2.4>
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
