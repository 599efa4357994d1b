/// Gathers the lines of a response's head as libcurl hands them over.
struct ResponseHeadParser {
    /// The most bytes of all lines together: libcurl before 8.3 has no limit of its own.
    static let largestHead = 256 * 1024

    private(set) var status = 0
    private(set) var headers = HTTPHeaders()
    private(set) var isComplete = false
    private(set) var byteCount = 0

    enum Outcome {
        case more
        /// The head of the response itself, not of an interim one.
        case complete
        case tooLarge
    }

    mutating func take(_ line: UnsafeRawBufferPointer) -> Outcome {
        byteCount += line.count
        guard byteCount <= Self.largestHead else { return .tooLarge }
        var text = line[...]
        while let last = text.last, last == UInt8(ascii: "\r") || last == UInt8(ascii: "\n") { text = text.dropLast() }
        if text.isEmpty {
            // The end of the trailer fields of a chunked body.
            guard !isComplete else { return .more }
            // 1xx responses precede the one that counts (RFC 9110 section 15.2).
            isComplete = status >= 200
            return isComplete ? .complete : .more
        }
        if text.starts(with: "HTTP/".utf8) {
            // A request that was sent again has another response.
            isComplete = false
            status = Self.status(of: text)
            headers = HTTPHeaders()
            return .more
        }
        // Trailer fields of a chunked body come here, too, and are ignored.
        guard !isComplete else { return .more }
        if text.first == 0x20 || text.first == 0x09 {
            // A folded line goes on with the value before (RFC 9112 section 5.2).
            headers.extendLast(with: Self.trimmed(text))
            return .more
        }
        guard let colon = text.firstIndex(of: UInt8(ascii: ":")) else { return .more }
        headers.append(
            String(decoding: text[..<colon], as: UTF8.self),
            Self.trimmed(text[(colon + 1)...])
        )
        return .more
    }

    private static func status(of line: Slice<UnsafeRawBufferPointer>) -> Int {
        let fields = line.split(separator: UInt8(ascii: " "), maxSplits: 2, omittingEmptySubsequences: true)
        guard fields.count > 1 else { return 0 }
        return Int(String(decoding: fields[1], as: UTF8.self)) ?? 0
    }

    private static func trimmed(_ bytes: Slice<UnsafeRawBufferPointer>) -> String {
        var bytes = bytes
        while let first = bytes.first, first == 0x20 || first == 0x09 { bytes = bytes.dropFirst() }
        while let last = bytes.last, last == 0x20 || last == 0x09 { bytes = bytes.dropLast() }
        return String(decoding: bytes, as: UTF8.self)
    }
}
