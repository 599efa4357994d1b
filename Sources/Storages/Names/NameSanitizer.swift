/// Makes valid names of what clients send.
///
/// One loop over UTF-8 bytes does the work, in a buffer on the stack. Text of ASCII only, nearly every name, touches
/// neither Foundation nor the Unicode tables; other text is normalised before and after.
enum NameSanitizer {
    static func sanitize(_ string: String, policy: StorageNamePolicy) throws -> String {
        do throws(NameViolation) {
            return try clean(string, policy)
        } catch {
            throw error.error(for: string)
        }
    }

    /// The same; `nil` when nothing is left.
    static func sanitizeUnlessEmptied(_ string: String, policy: StorageNamePolicy) throws -> String? {
        do throws(NameViolation) {
            return try clean(string, policy)
        } catch {
            guard case .nothingLeft = error else { throw error.error(for: string) }
            return nil
        }
    }

    private static func clean(_ string: String, _ policy: StorageNamePolicy) throws(NameViolation) -> String {
        let clean =
            switch policy.kind {
            case .unicode: try unicode(string)
            case .ascii: try ascii(string)
            }
        return fitting(clean, policy)
    }

    private static func unicode(_ string: String) throws(NameViolation) -> String {
        var string = string
        // Nearly all names are of plain scalars only, and one pass is enough.
        if let clean = try clean(&string, needsPlain: true) { return clean }
        var normalized = Normalization.composed(string)
        guard let clean = try clean(&normalized, needsPlain: false) else { throw .nothingLeft }
        // Dropping a scalar can bring a letter and a mark together that compose, so the result is normalised again.
        return Normalization.composed(clean)
    }

    private enum Outcome {
        case unchanged
        case cleaned(String)
        case needsNormalizing
    }

    /// The clean name; `nil` when only plain scalars are wanted and there is another.
    ///
    /// A name that needs no change is returned itself, without an allocation.
    private static func clean(_ string: inout String, needsPlain: Bool) throws(NameViolation) -> String? {
        // A typed error does not pass through the standard library's rethrowing closures; a result does.
        let result: Result<Outcome, NameViolation> = string.withUTF8 { (input: UnsafeBufferPointer<UInt8>) in
            if input.isEmpty { return .failure(.empty) }
            // A segment grows by one byte at most: the underscore before a device name or an extension.
            return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: input.count * 2 + 2) { output in
                var cleaner = SegmentCleaner(output: output)
                do throws(NameViolation) {
                    guard let count = try cleaner.clean(input, needsPlain: needsPlain) else {
                        return .success(.needsNormalizing)
                    }
                    let written = UnsafeBufferPointer(rebasing: output[..<count])
                    if count == input.count, written.elementsEqual(input) { return .success(.unchanged) }
                    return .success(.cleaned(String(decoding: written, as: UTF8.self)))
                } catch {
                    return .failure(error)
                }
            }
        }
        switch try result.get() {
        case .unchanged: return string
        case .cleaned(let clean): return clean
        case .needsNormalizing: return nil
        }
    }

    /// Shortens a name that is too long: it loses the end of a stem before an extension, then the last directories.
    static func fitting(_ name: String, _ policy: StorageNamePolicy) -> String {
        guard name.utf8.count > StorageName.maxSegmentBytes else { return name }
        var segments = name.pathSegments.map { shortened($0, to: StorageName.maxSegmentBytes, policy) }
        var total = segments.reduce(segments.count - 1) { $0 + $1.utf8.count }
        while total > StorageName.maxBytes, segments.count > 1 {
            total -= segments.remove(at: segments.count - 2).utf8.count + 1
        }
        return segments.joined(separator: "/")
    }

    /// Cuts one segment to so many bytes, between scalars, at the end of its stem.
    static func shortened(_ segment: String, to limit: Int, _ policy: StorageNamePolicy) -> String {
        guard segment.utf8.count > limit else { return segment }
        let parts = NameParts(segment)
        // What is nearly as long as the limit is no extension, only a name with a dot.
        let suffix = parts.suffix.utf8.count <= min(64, limit / 2) ? parts.suffix : ""
        let stem = suffix.isEmpty ? segment : parts.stem
        let cut = Substring(prefix(of: stem, bytes: limit - suffix.utf8.count))
        // What may not stand at the end of a segment must not stand there because of the cut.
        let end = cut.utf8.lastIndex { byte in
            switch policy.kind {
            case .unicode: byte != UInt8(ascii: ".")
            case .ascii: byte != UInt8(ascii: ".") && byte != UInt8(ascii: "_")
            }
        }
        return (end.map { String(cut[...$0]) } ?? "_") + suffix
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
    /// The extension with its dot; empty when there is none.
    var suffix: String

    init(_ segment: String) {
        let utf8 = segment.utf8
        guard let dot = utf8.lastIndex(of: UInt8(ascii: ".")), dot != utf8.startIndex else {
            (stem, suffix) = (segment, "")
            return
        }
        let head = segment[..<dot]
        let isCompressedArchive =
            head.utf8.count > 4 && head.utf8.suffix(4).lazy.map { $0 | 0x20 }.elementsEqual(".tar".utf8)
            && ["gz", "bz2", "xz", "zst"].contains(segment[utf8.index(after: dot)...].lowercased())
        let cut = isCompressedArchive ? utf8.index(dot, offsetBy: -4) : dot
        (stem, suffix) = (String(segment[..<cut]), String(segment[cut...]))
    }
}
