import Storages
import StoragesHTTP

extension PercentEncoding {
    /// Returns whether the text can stand in a URL as a path, as it is.
    static func isPath(_ path: Substring) -> Bool {
        let bytes = Array(path.utf8)
        for (index, byte) in bytes.enumerated() {
            switch byte {
            case UInt8(ascii: "%"):
                guard index + 2 < bytes.count, bytes[index + 1...index + 2].allSatisfy(HostName.isHexadecimal) else {
                    return false
                }
            default:
                guard HostName.isAlphanumeric(byte) || "/-._~!$&'()*+,;=:@".utf8.contains(byte) else { return false }
            }
        }
        return true
    }

    /// Returns whether a segment of the path stands for the folder itself or the one above it, which clients and
    /// proxies take out.
    static func hasDotSegments(_ path: Substring) -> Bool {
        path.split(separator: "/").contains { segment in
            [".", ".."].contains(segment.lowercased().replacing("%2e", with: "."))
        }
    }
}
