import Foundation

extension NameSanitizer {
    /// Returns each segment as `secure_filename` of Werkzeug 3.1.9 makes it on POSIX.
    ///
    /// The steps of `werkzeug/utils.py`: NFKD; what is not ASCII goes; `/` becomes a space; words are joined by `_`;
    /// all but `[A-Za-z0-9_.-]` goes; `.` and `_` at both ends go. Segments are what `pathlib` would split: at `/`,
    /// without `.` and empty ones.
    static func ascii(_ string: String) throws(NameViolation) -> String {
        guard !string.isEmpty else { throw .empty }
        var output: [UInt8] = []
        output.reserveCapacity(string.utf8.count + 1)
        if string.utf8.allSatisfy({ $0 < 0x80 }) {
            var string = string
            string.withUTF8 { utf8 in
                for segment in utf8.split(separator: UInt8(ascii: "/")) {
                    appendASCII(segment, to: &output)
                }
            }
        } else {
            for segment in string.unicodeScalars.split(separator: "/") {
                let decomposed = String(segment).decomposedStringWithCompatibilityMapping
                appendASCII(Array(decomposed.utf8.lazy.filter { $0 < 0x80 })[...], to: &output)
            }
        }
        guard !output.isEmpty else { throw .nothingLeft }
        return String(decoding: output, as: UTF8.self)
    }

    private static func appendASCII(_ segment: some Collection<UInt8>, to output: inout [UInt8]) {
        let isSingleDot = segment.count == 1 && segment.first == UInt8(ascii: ".")
        guard !isSingleDot else { return }
        let base = output.count
        if base > 0 { output.append(UInt8(ascii: "/")) }
        let start = output.count
        var hasWord = false
        var isAfterSpace = false
        for byte in segment {
            switch byte {
            // What Python's str.split() takes for white space within ASCII; a "/" can come from NFKD only.
            case 0x09...0x0D, 0x1C...0x20, UInt8(ascii: "/"):
                isAfterSpace = hasWord
                continue
            default:
                break
            }
            if isAfterSpace { output.append(UInt8(ascii: "_")) }
            (hasWord, isAfterSpace) = (true, false)
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"):
                output.append(byte)
            default:
                break
            }
        }
        func isStripped(_ byte: UInt8) -> Bool { byte == UInt8(ascii: ".") || byte == UInt8(ascii: "_") }
        while output.count > start, isStripped(output[output.count - 1]) { output.removeLast() }
        var leading = start
        while leading < output.count, isStripped(output[leading]) { leading += 1 }
        if leading > start { output.removeSubrange(start..<leading) }
        if output.count == start { output.removeSubrange(base...) }
    }
}
