import Foundation

/// A rule for names that a text breaks.
enum NameViolation: Error, Hashable {
    case empty
    case nothingLeft
    case absolute
    case parentReference
    case emptySegment
    case currentReference
    case backslash
    case null
    case control(UInt32)
    case textDirection(UInt32)
    case notNormalized
    case tooLong
    case segmentTooLong
    case loneSurrogate
    case invalidUTF8

    func error(for name: String) -> StorageError {
        var message = "The name "
        message.reserveCapacity(min(name.utf8.count, 500) + 120)
        StorageError.appendQuoted(name, to: &message)
        message += " "
        message += reason
        return StorageError(.invalidName, message, name: name)
    }

    private var reason: String {
        switch self {
        case .empty: "is empty. Give the file a name."
        case .nothingLeft: "has no character that may stay. Give the file a name with letters or digits."
        case .absolute: "is absolute. Use a path relative to the storage."
        case .parentReference: "contains the segment \"..\", which could leave the storage. Use a path without it."
        case .emptySegment: "begins or ends with \"/\" or contains \"//\". Use single slashes between segments."
        case .currentReference: "contains the segment \".\". Leave it out."
        case .backslash: "contains a backslash. Separate segments with \"/\"."
        case .null: "contains NUL. Leave it out."
        case .control(let value): "contains the control character \(hex(value)). Leave it out."
        case .textDirection(let value):
            "contains \(hex(value)), a control of text direction that can disguise a name. Leave it out."
        case .notNormalized: "is not in Unicode normalisation form C. Normalise it, or sanitise it instead."
        case .tooLong: "is longer than 1024 bytes. Shorten it."
        case .segmentTooLong: "has a segment longer than 255 bytes. Shorten it."
        case .loneSurrogate: "contains half of a surrogate pair, which is not valid UTF-8. Send valid UTF-8."
        case .invalidUTF8: "is not valid UTF-8. Send valid UTF-8."
        }
    }

    private func hex(_ value: UInt32) -> String {
        let digits = String(value, radix: 16, uppercase: true)
        return "U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}

extension StorageName {
    /// The first rule that a text breaks as a name; `nil` when it is valid.
    static func violation(in string: String) -> NameViolation? {
        if let violation = safetyViolation(in: string) { return violation }
        // A row's names are looked at here, and comparing them with themselves was a twelfth of what a row costs.
        if Normalization.isPlainlyComposed(string) { return nil }
        return string.precomposedStringWithCanonicalMapping.utf8.elementsEqual(string.utf8) ? nil : .notNormalized
    }

    /// The first rule that a text breaks as a name, but for its normalisation; in one pass over its bytes.
    static func safetyViolation(in string: String) -> NameViolation? {
        var string = string
        return string.withUTF8 { utf8 -> NameViolation? in
            if utf8.isEmpty { return .empty }
            if utf8.count > maxBytes { return .tooLong }
            if utf8[0] == UInt8(ascii: "/") { return .absolute }
            var start = 0
            var index = 0
            while index < utf8.count {
                let byte = utf8[index]
                switch byte {
                case 0: return .null
                case UInt8(ascii: "/"):
                    if let violation = segmentViolation(utf8[start..<index]) { return violation }
                    start = index + 1
                case UInt8(ascii: "\\"): return .backslash
                case 1..<0x20, 0x7F: return .control(UInt32(byte))
                // The scalars that no name may contain begin with one of these bytes.
                case 0xC2, 0xD8, 0xE2:
                    let (value, _) = NameBytes.scalar(in: utf8, at: index)
                    if let violation = Unicode.Scalar(value)?.nameViolation { return violation }
                default: break
                }
                index += 1
            }
            return segmentViolation(utf8[start...])
        }
    }

    private static func segmentViolation(_ segment: Slice<UnsafeBufferPointer<UInt8>>) -> NameViolation? {
        let dot = UInt8(ascii: ".")
        if segment.isEmpty { return .emptySegment }
        if segment.count > maxSegmentBytes { return .segmentTooLong }
        if segment.count == 1, segment.first == dot { return .currentReference }
        if segment.count == 2, segment.allSatisfy({ $0 == dot }) { return .parentReference }
        return nil
    }
}

extension Unicode.Scalar {
    /// The rule this scalar breaks wherever it stands in a name.
    var nameViolation: NameViolation? {
        switch value {
        case 0: .null
        case 1..<0x20, 0x7F..<0xA0: .control(value)
        case 0x061C, 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069: .textDirection(value)
        default: nil
        }
    }

    /// A Boolean value that indicates whether no name may contain this scalar.
    var isForbiddenInNames: Bool { nameViolation != nil }
}
