import Storages
import StoragesHTTP

/// One of the two files with profiles that AWS's tools share, parsed.
///
/// <https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html>
///
/// `#` and `;` begin comment lines, and after a space they end a value. Keys are compared without regard to case; of
/// two values of a key the last wins. Lines that are indented more than the key above them continue its value, or make
/// a block of keys when the value was empty; a key directly below a heading may be indented as far as one likes.
struct ProfileFile: Sendable, SecretHolding {
    /// The keys below one heading.
    struct Section: Sendable, SecretHolding {
        fileprivate(set) var values: [String: String] = [:]
        fileprivate(set) var blocks: [String: [String: String]] = [:]
    }

    enum Kind: Sendable {
        /// The file `~/.aws/credentials`, where a heading is the name of a profile.
        case credentials
        /// The file `~/.aws/config`, where a heading names its kind: `[profile name]`, `[services name]`, `[default]`.
        case config
    }

    private(set) var profiles: [String: Section] = [:]
    private(set) var services: [String: Section] = [:]

    /// Creates a file that has nothing, or does not exist.
    init() {}

    /// Parses a file.
    ///
    /// - Parameters:
    ///   - text: All of the file.
    ///   - kind: The kind of the file.
    ///   - path: The path of the file, for messages.
    /// - Throws: ``StorageError`` with code `invalidConfiguration` that names the line; never its contents.
    init(parsing text: String, as kind: Kind, at path: String) throws {
        var parser = Parser(kind: kind, path: path)
        // By scalars: "\r\n" is one character.
        let lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            var line = Substring(line)
            if index == 0, line.unicodeScalars.first == "\u{FEFF}" { line.unicodeScalars.removeFirst() }
            if line.unicodeScalars.last == "\r" { line.unicodeScalars.removeLast() }
            parser.line = index + 1
            try parser.take(line)
        }
        profiles = parser.profiles
        services = parser.services
    }
}

extension ProfileFile {
    private struct Parser {
        private enum Heading {
            case none, profile(String), services(String), other
        }

        let kind: Kind
        let path: String
        var line = 0
        var profiles: [String: Section] = [:]
        var services: [String: Section] = [:]
        private var heading = Heading.none
        /// The key that lines with a wider indentation belong to.
        private var openKey: String?
        /// The number of blanks before that key.
        private var openIndentation = 0

        init(kind: Kind, path: String) {
            self.kind = kind
            self.path = path
        }

        mutating func take(_ line: Substring) throws {
            let content = Self.trimmed(line)
            guard let first = content.first, first != "#", first != ";" else { return }
            let indentation = line.prefix { Self.isBlank($0) }.count
            // As in the parser of Amazon's own tools, a line that is not indented more than the last key is no part of
            // it.
            if openKey != nil, indentation > openIndentation {
                try takeContinuation(content)
            } else if first == "[" {
                try takeHeading(content)
            } else {
                try takeKey(content)
                openIndentation = indentation
            }
        }

        private mutating func takeHeading(_ content: Substring) throws {
            guard let end = content.firstIndex(of: "]") else { throw failure("the heading's [ is not closed") }
            let rest = Self.trimmed(content[content.index(after: end)...])
            guard rest.isEmpty || rest.hasPrefix("#") || rest.hasPrefix(";") else {
                throw failure("something follows the heading's ]")
            }
            openKey = nil
            let name = Self.trimmed(content[content.index(after: content.startIndex)..<end])
            guard !name.isEmpty else { throw failure("the heading is empty") }
            switch kind {
            case .credentials:
                open(.profile(String(name)))
            case .config:
                let words = name.split(maxSplits: 1, omittingEmptySubsequences: true) { Self.isBlank($0) }
                let argument = words.count == 2 ? Self.unquoted(Self.trimmed(words[1])) : ""
                switch words[0] {
                case "default" where words.count == 1: open(.profile("default"))
                case "profile" where !argument.isEmpty: open(.profile(argument))
                case "services" where !argument.isEmpty: open(.services(argument))
                // Such as [sso-session x], or a name without "profile", which AWS's tools do not see either.
                default: open(.other)
                }
            }
        }

        private mutating func open(_ heading: Heading) {
            self.heading = heading
            // An empty section counts: the profile is there.
            change { _ in }
        }

        private mutating func takeKey(_ content: Substring) throws {
            if case .none = heading { throw failure("a key comes before the first heading") }
            let (key, value) = try Self.pair(content) ?? { throw failure("there is no = after the key") }()
            openKey = key
            change {
                $0.values[key] = value
                $0.blocks[key] = nil
            }
        }

        private mutating func takeContinuation(_ content: Substring) throws {
            let isOther = if case .other = heading { true } else { false }
            guard let openKey, !isOther else { return }
            let isBlock = section?.values[openKey]?.isEmpty ?? true
            if isBlock {
                let (key, value) = try Self.pair(content) ?? { throw failure("there is no = after the key") }()
                change { $0.blocks[openKey, default: [:]][key] = value }
            } else {
                change { $0.values[openKey, default: ""] += "\n" + Self.withoutComment(content) }
            }
        }

        private var section: Section? {
            switch heading {
            case .profile(let name): profiles[name]
            case .services(let name): services[name]
            case .none, .other: nil
            }
        }

        private mutating func change(_ body: (inout Section) -> Void) {
            switch heading {
            case .profile(let name): body(&profiles[name, default: Section()])
            case .services(let name): body(&services[name, default: Section()])
            case .none, .other: break
            }
        }

        private func failure(_ reason: String) -> StorageError {
            StorageError(
                .invalidConfiguration,
                "Line \(line) of \(StorageError.quoted(path)) cannot be read: \(reason). Correct the file."
            )
        }

        private static func pair(_ content: Substring) -> (key: String, value: String)? {
            guard let equals = content.firstIndex(of: "=") else { return nil }
            let key = trimmed(content[..<equals]).lowercased()
            guard !key.isEmpty else { return nil }
            // The blank after = may be the one before a comment's #.
            let value = content[content.index(after: equals)...]
            return (key, String(withoutComment(value)))
        }

        private static func withoutComment(_ value: Substring) -> Substring {
            var wasBlank = false
            for index in value.indices {
                let character = value[index]
                if wasBlank, character == "#" || character == ";" { return trimmed(value[..<index]) }
                wasBlank = isBlank(character)
            }
            return trimmed(value)
        }

        private static func unquoted(_ text: Substring) -> String {
            for quote in ["\"", "'"] where text.count >= 2 && text.hasPrefix(quote) && text.hasSuffix(quote) {
                return String(text.dropFirst().dropLast())
            }
            return String(text)
        }

        private static func isBlank(_ character: Character?) -> Bool {
            character == " " || character == "\t"
        }

        private static func trimmed(_ text: Substring) -> Substring {
            var text = text
            while isBlank(text.first) { text.removeFirst() }
            while isBlank(text.last) { text.removeLast() }
            return text
        }
    }
}
