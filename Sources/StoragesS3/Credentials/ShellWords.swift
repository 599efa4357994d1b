import Storages

/// Splits a command line into words as a shell does, without expanding anything.
enum ShellWords {
    /// Splits at blanks that are not quoted.
    ///
    /// Between `'…'` everything stands for itself; between `"…"` a backslash quotes `"`, `\`, `$` and a backquote;
    /// outside it quotes whatever follows.
    ///
    /// - Returns: The words; an empty one only where quotes stand.
    /// - Throws: ``StorageError`` with code `invalidConfiguration` when a quote is not closed, or the line ends in a
    ///   backslash.
    static func split(_ line: String) throws -> [String] {
        var words: [String] = []
        var word: String.UnicodeScalarView?
        var quote: Unicode.Scalar?
        var scalars = line.unicodeScalars.makeIterator()
        while let scalar = scalars.next() {
            switch (scalar, quote) {
            case ("\\", nil), ("\\", "\""):
                guard let next = scalars.next() else { throw failure("it ends in a backslash") }
                if quote != nil, next != "\"", next != "\\", next != "$", next != "`" {
                    word?.append(scalar)
                }
                word = word ?? .init()
                word?.append(next)
            case (_, scalar):
                quote = nil
            case ("'", nil), ("\"", nil):
                quote = scalar
                word = word ?? .init()
            case (" ", nil), ("\t", nil), ("\n", nil), ("\r", nil):
                if let finished = word { words.append(String(finished)) }
                word = nil
            default:
                word = word ?? .init()
                word?.append(scalar)
            }
        }
        guard quote == nil else { throw failure("a quote is not closed") }
        if let finished = word { words.append(String(finished)) }
        return words
    }

    private static func failure(_ reason: String) -> StorageError {
        StorageError(.invalidConfiguration, "The command line in credential_process cannot be split: \(reason).")
    }
}
