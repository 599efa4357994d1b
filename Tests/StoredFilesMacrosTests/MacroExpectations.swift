#if Macros
    import StoredFilesMacros
    import SwiftDiagnostics
    import SwiftSyntaxBuilder
    import SwiftSyntaxMacroExpansion
    import SwiftSyntaxMacrosGenericTestSupport
    import Testing

    /// The macros as the compiler knows them: their names and what `conformances:` lists.
    private let macros: [String: MacroSpec] = [
        "Model": MacroSpec(type: ModelMacro.self, conformances: ["Model", "FieldModel"]),
        "ID": MacroSpec(type: IDMacro.self),
        "Column": MacroSpec(type: ColumnMacro.self),
    ]

    /// A message that a macro should give, with its place, note and fix-it.
    struct ExpectedMessage: Sendable {
        /// Another place that the message speaks of.
        struct Note: Sendable {
            let line: Int
            let column: Int
            let text: String

            init(_ line: Int, _ column: Int, _ text: String) {
                self.line = line
                self.column = column
                self.text = text
            }
        }

        let line: Int
        let column: Int
        let text: String
        var isWarning = false
        var note: Note?
        var fixIt: String?

        init(
            _ line: Int,
            _ column: Int,
            _ text: String,
            isWarning: Bool = false,
            note: Note? = nil,
            fixIt: String? = nil
        ) {
            self.line = line
            self.column = column
            self.text = text
            self.isWarning = isWarning
            self.note = note
            self.fixIt = fixIt
        }

        fileprivate var specification: DiagnosticSpec {
            DiagnosticSpec(
                message: text,
                line: line,
                column: column,
                severity: isWarning ? .warning : .error,
                notes: note.map { [NoteSpec(message: $0.text, line: $0.line, column: $0.column)] } ?? [],
                fixIts: fixIt.map { [FixItSpec(message: $0)] } ?? []
            )
        }
    }

    /// Records an issue unless a source expands to exactly that text, with exactly those messages.
    ///
    /// - Parameters:
    ///   - source: The source with the macros.
    ///   - expected: The text after expansion.
    ///   - messages: All messages, in order.
    ///   - fixed: The source after the fix-it of every message, or `nil` to leave fix-its unapplied.
    ///   - sourceLocation: Where to record the issue.
    func expectExpansion(
        of source: String,
        _ expected: String,
        messages: [ExpectedMessage] = [],
        fixed: String? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        assertMacroExpansion(
            source,
            expandedSource: expected,
            diagnostics: messages.map(\.specification),
            macroSpecs: macros,
            fixedSource: fixed,
            failureHandler: { Issue.record("\($0.message)", sourceLocation: sourceLocation) }
        )
    }
#endif
