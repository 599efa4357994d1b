#if Macros
    import StoredFilesMacros
    import SwiftSyntaxBuilder
    import SwiftSyntaxMacroExpansion
    import SwiftSyntaxMacrosGenericTestSupport
    import Testing

    /// What the compiler knows of the macros: their names and what `conformances:` lists.
    private let macros: [String: MacroSpec] = [
        "Model": MacroSpec(type: ModelMacro.self, conformances: ["Model", "FieldModel"]),
        "ID": MacroSpec(type: IDMacro.self),
        "Column": MacroSpec(type: ColumnMacro.self),
    ]

    /// Records an issue unless a source expands to exactly that text, with exactly those messages.
    ///
    /// - Parameters:
    ///   - source: The source with the macros.
    ///   - expected: The text after expansion.
    ///   - diagnostics: All messages, in order.
    ///   - fixed: The source after the first fix-it of every message, or `nil` to leave fix-its unapplied.
    func expectExpansion(
        of source: String,
        _ expected: String,
        diagnostics: [DiagnosticSpec] = [],
        fixed: String? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        assertMacroExpansion(
            source,
            expandedSource: expected,
            diagnostics: diagnostics,
            macroSpecs: macros,
            fixedSource: fixed,
            failureHandler: { Issue.record("\($0.message)", sourceLocation: sourceLocation) }
        )
    }

    /// A source that `@Model` refuses, and what it says.
    struct RefusedSource: CustomTestStringConvertible, Sendable {
        /// A message of the macro.
        struct Message: Sendable {
            let text: String
            let line: Int
            let column: Int
            var note: (text: String, line: Int, column: Int)?
            var fixIt: String?
        }

        let name: String
        let source: String
        let messages: [Message]
        var fixed: String?

        var testDescription: String { name }

        /// Describes a source with one message.
        init(
            _ name: String,
            _ source: String,
            _ line: Int,
            _ column: Int,
            _ text: String,
            note: (text: String, line: Int, column: Int)? = nil,
            fixIt: String? = nil,
            fixed: String? = nil
        ) {
            self.init(
                name,
                source,
                [Message(text: text, line: line, column: column, note: note, fixIt: fixIt)],
                fixed: fixed
            )
        }

        /// Describes a source with several messages.
        init(_ name: String, _ source: String, _ messages: [Message], fixed: String? = nil) {
            self.name = name
            self.source = source
            self.messages = messages
            self.fixed = fixed
        }

        /// Records an issue unless the macros say exactly that and write nothing.
        func verify(sourceLocation: SourceLocation = #_sourceLocation) {
            expectExpansion(
                of: source,
                source.replacing(/@(?:Model|ID|Column)(?:\((?:"[^"]*"|[^")])*\))?\s/, with: ""),
                diagnostics: messages.map { message in
                    DiagnosticSpec(
                        message: message.text,
                        line: message.line,
                        column: message.column,
                        notes: message.note.map { [NoteSpec(message: $0.text, line: $0.line, column: $0.column)] }
                            ?? [],
                        fixIts: message.fixIt.map { [FixItSpec(message: $0)] } ?? []
                    )
                },
                fixed: fixed,
                sourceLocation: sourceLocation
            )
        }
    }
#endif
