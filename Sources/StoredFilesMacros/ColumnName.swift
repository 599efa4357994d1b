#if Macros
    /// The conversion of properties' names to columns' names, and PostgreSQL's limits for them.
    enum ColumnName {
        /// PostgreSQL cuts longer identifiers silently (`NAMEDATALEN` - 1), so two of them could become one.
        static let maxBytes = 63

        /// The column of a property: `createdAt` is `created_at`, `imageURL` is `image_url`, `HTML` is `html`.
        ///
        /// A run of capitals is one word, up to the capital that starts the next word; a plural `s` belongs to the run
        /// (`userIDs` is `user_ids`). Digits belong to the word before them.
        static func snakeCase(_ property: String) -> String {
            let characters = Array(property)
            var result = ""
            for (index, character) in characters.enumerated() {
                if character.isUppercase, startsWord(at: index, in: characters) { result.append("_") }
                result += character.lowercased()
            }
            return result
        }

        private static func startsWord(at index: Int, in characters: [Character]) -> Bool {
            guard index > 0, characters[index - 1] != "_" else { return false }
            guard characters[index - 1].isUppercase else { return true }
            let next = index + 1
            guard next < characters.count, characters[next].isLowercase else { return false }
            let isPlural =
                characters[next] == "s" && (next + 1 == characters.count || !characters[next + 1].isLowercase)
            return !isPlural
        }

        /// Returns the reason why PostgreSQL would not accept a name, in words that fit behind "the name … ", or `nil`
        /// when it would.
        static func problem(with name: String) -> String? {
            if name.isEmpty { return "is empty" }
            if name.utf8.contains(0) { return "contains NUL" }
            let count = name.utf8.count
            if count > maxBytes { return "has \(count) bytes, PostgreSQL takes \(maxBytes)" }
            return nil
        }
    }
#endif
