#if Macros
    import Testing

    /// A source that the macros refuse, and what they say.
    struct RefusedSource: CustomTestStringConvertible, Sendable {
        let name: String
        let source: String
        let messages: [ExpectedMessage]
        let fixed: String?

        var testDescription: String { name }

        /// Describes a source.
        ///
        /// - Parameters:
        ///   - name: What is wrong with it.
        ///   - source: The source.
        ///   - messages: All messages, in order.
        ///   - fixed: The source after the fix-its, or `nil` when there are none.
        init(_ name: String, _ source: String, _ messages: ExpectedMessage..., fixed: String? = nil) {
            self.name = name
            self.source = source
            self.messages = messages
            self.fixed = fixed
        }

        /// Describes a model `Photo` with an `id` by its other members, which begin in line 4.
        static func photo(
            _ name: String,
            _ members: String,
            _ messages: ExpectedMessage...,
            fixed: String? = nil
        ) -> RefusedSource {
            RefusedSource(name, photoSource(members), messages, fixed.map(photoSource))
        }

        private init(_ name: String, _ source: String, _ messages: [ExpectedMessage], _ fixed: String?) {
            self.name = name
            self.source = source
            self.messages = messages
            self.fixed = fixed
        }

        private static func photoSource(_ members: String) -> String {
            "@Model(\"photos\")\nstruct Photo {\n    var id: Int?\n"
                + members.split(separator: "\n", omittingEmptySubsequences: false).map { "    \($0)\n" }.joined() + "}"
        }

        /// Records an issue unless the macros say exactly that and write nothing.
        func verify(sourceLocation: SourceLocation = #_sourceLocation) {
            expectExpansion(
                of: source,
                source.replacing(/@(?:Model|ID|Column)(?:\((?:"[^"]*"|[^")])*\))?\s+/, with: ""),
                messages: messages,
                fixed: fixed,
                sourceLocation: sourceLocation
            )
        }
    }
#endif
