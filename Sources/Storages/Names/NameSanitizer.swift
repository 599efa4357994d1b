/// Makes valid names of what clients send.
///
/// One loop over UTF-8 bytes does the work, in a buffer on the stack. Text of ASCII only, nearly every name, touches
/// neither Foundation nor the Unicode tables; other text is normalised before and after.
enum NameSanitizer {
    static func sanitize(_ string: String, policy: StorageNamePolicy) throws -> String {
        do throws(NameViolation) {
            let clean =
                switch policy.kind {
                case .unicode: try unicode(string)
                case .ascii: try ascii(string)
                }
            return fitting(clean)
        } catch {
            throw error.error(for: string)
        }
    }

    private static func unicode(_ string: String) throws(NameViolation) -> String {
        var string = string
        if string.utf8.allSatisfy({ $0 < 0x80 }) {
            return try clean(&string)
        }
        var normalized = Normalization.composed(string)
        // Dropping a scalar can bring a letter and a mark together that compose, so the result is normalised again.
        return Normalization.composed(try clean(&normalized))
    }

    private static func clean(_ string: inout String) throws(NameViolation) -> String {
        guard !string.isEmpty else { throw .empty }
        // A typed error does not pass through the standard library's rethrowing closures; a result does.
        let result: Result<String, NameViolation> = string.withUTF8 { (input: UnsafeBufferPointer<UInt8>) in
            // A segment grows by one byte at most: the underscore before a device name or an extension.
            withUnsafeTemporaryAllocation(of: UInt8.self, capacity: input.count * 2 + 2) { output in
                var cleaner = SegmentCleaner(output: output)
                do throws(NameViolation) {
                    let count = try cleaner.clean(input)
                    return .success(String(decoding: UnsafeBufferPointer(rebasing: output[..<count]), as: UTF8.self))
                } catch {
                    return .failure(error)
                }
            }
        }
        return try result.get()
    }

    /// What the name loses when it is too long: the end of a stem before an extension, then the last directories.
    static func fitting(_ name: String) -> String {
        guard name.utf8.count > StorageName.maxSegmentBytes else { return name }
        var segments = name.split(separator: "/").map { shortened(String($0), to: StorageName.maxSegmentBytes) }
        var total = segments.reduce(segments.count - 1) { $0 + $1.utf8.count }
        while total > StorageName.maxBytes, segments.count > 1 {
            total -= segments.remove(at: segments.count - 2).utf8.count + 1
        }
        return segments.joined(separator: "/")
    }

    /// Cuts one segment to so many bytes, between scalars, at the end of its stem.
    static func shortened(_ segment: String, to limit: Int) -> String {
        guard segment.utf8.count > limit else { return segment }
        let parts = NameParts(segment)
        // What is nearly as long as the limit is no extension, only a name with a dot.
        let suffix = parts.suffix.utf8.count <= min(64, limit / 2) ? parts.suffix : ""
        let stem = suffix.isEmpty ? segment : parts.stem
        return prefix(of: stem, bytes: limit - suffix.utf8.count) + suffix
    }

    /// The longest prefix of whole scalars within so many bytes.
    static func prefix(of text: String, bytes: Int) -> String {
        let utf8 = text.utf8
        guard utf8.count > bytes else { return text }
        var cut = utf8.index(utf8.startIndex, offsetBy: max(0, bytes))
        // A byte 10xxxxxx goes on with the scalar before it.
        while cut > utf8.startIndex, utf8[cut] & 0xC0 == 0x80 { utf8.formIndex(before: &cut) }
        return String(text[..<cut])
    }
}

/// A segment as stem and suffix: `.tar.gz` and its kin count as one suffix.
struct NameParts {
    var stem: String
    /// With its dot; empty when there is none.
    var suffix: String

    init(_ segment: String) {
        let utf8 = segment.utf8
        guard let dot = utf8.lastIndex(of: UInt8(ascii: ".")), dot != utf8.startIndex else {
            (stem, suffix) = (segment, "")
            return
        }
        let head = segment[..<dot]
        let isCompressedArchive =
            head.utf8.count > 4 && head.suffix(4).lowercased() == ".tar"
            && ["gz", "bz2", "xz", "zst"].contains(segment[utf8.index(after: dot)...].lowercased())
        let cut = isCompressedArchive ? utf8.index(dot, offsetBy: -4) : dot
        (stem, suffix) = (String(segment[..<cut]), String(segment[cut...]))
    }
}
