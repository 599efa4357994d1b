#if Macros
    import SwiftDiagnostics
    import SwiftSyntax
    import SwiftSyntaxBuilder
    import SwiftSyntaxMacros

    /// A message of `@Model`, `@ID` or `@Column` to the programmer.
    struct ModelMessage: DiagnosticMessage, FixItMessage, NoteMessage {
        let id: String
        let message: String
        var severity = DiagnosticSeverity.error

        var diagnosticID: MessageID { MessageID(domain: "StoredFilesMacros", id: id) }
        var fixItID: MessageID { diagnosticID }
        var noteID: MessageID { diagnosticID }
    }

    /// A message with its place and the ways to mend it.
    struct ModelDiagnostic {
        let node: Syntax
        let message: ModelMessage
        var notes: [Note] = []
        var fixIts: [FixIt] = []

        init(
            _ id: String,
            at node: some SyntaxProtocol,
            _ message: String,
            severity: DiagnosticSeverity = .error,
            notes: [Note] = [],
            fixIts: [FixIt] = []
        ) {
            self.node = Syntax(node)
            self.message = ModelMessage(id: id, message: message, severity: severity)
            self.notes = notes
            self.fixIts = fixIts
        }

        /// A Boolean value that indicates whether the diagnostic is an error, so that the struct cannot be expanded.
        var isError: Bool { message.severity == .error }
    }

    extension MacroExpansionContext {
        /// Shows a message in the editor and the build log.
        func diagnose(_ diagnostic: ModelDiagnostic) {
            diagnose(
                Diagnostic(
                    node: diagnostic.node,
                    message: diagnostic.message,
                    notes: diagnostic.notes,
                    fixIts: diagnostic.fixIts
                )
            )
        }
    }

    extension FixIt {
        /// Replaces a node, keeping the white space and comments around it.
        fileprivate static func replacing(
            _ node: some SyntaxProtocol,
            with replacement: some SyntaxProtocol,
            _ message: String
        ) -> FixIt {
            var new = Syntax(replacement)
            new.leadingTrivia = node.leadingTrivia
            new.trailingTrivia = node.trailingTrivia
            return FixIt(
                message: ModelMessage(id: "fix", message: message),
                changes: [.replace(oldNode: Syntax(node), newNode: new)]
            )
        }
    }

    // MARK: - The struct

    extension ModelDiagnostic {
        static func notAStruct(_ kind: String, keyword: TokenSyntax, name: String?) -> ModelDiagnostic {
            let subject = name.map { "'\($0)' is \(kind)" } ?? "this is \(kind)"
            return ModelDiagnostic("notAStruct", at: keyword, "@Model needs a struct; \(subject)")
        }

        static func privateNested(_ name: String, modifier: DeclModifierSyntax) -> ModelDiagnostic {
            ModelDiagnostic(
                "privateNested",
                at: modifier,
                "the extension that @Model writes stands outside and cannot name the private '\(name)'",
                fixIts: [.replacing(modifier.name, with: TokenSyntax.keyword(.fileprivate), "make it 'fileprivate'")]
            )
        }

        static func tableNotLiteral(at node: some SyntaxProtocol) -> ModelDiagnostic {
            ModelDiagnostic(
                "tableNotLiteral",
                at: node,
                "@Model needs the name of the table as a string literal without interpolation: @Model(\"photos\")"
            )
        }

        static func badTable(_ problem: String, at node: some SyntaxProtocol) -> ModelDiagnostic {
            ModelDiagnostic("badTable", at: node, "the name of the table \(problem)")
        }

        static func noID(in declaration: StructDeclSyntax) -> ModelDiagnostic {
            let members = declaration.memberBlock.members
            var property = DeclSyntax("var id: Int64?")
            // Comments above the first member stay with it.
            let indentation = members.first?.leadingTrivia.pieces.last { $0.isSpaceOrTab } ?? .spaces(4)
            property.leadingTrivia = [.newlines(1), indentation]
            let item = MemberBlockItemSyntax(decl: property)
            let fix = FixIt(
                message: ModelMessage(id: "fix", message: "add 'var id: Int64?'"),
                changes: [
                    .replace(
                        oldNode: Syntax(members),
                        newNode: Syntax(MemberBlockItemListSyntax([item] + Array(members)))
                    )
                ]
            )
            return ModelDiagnostic(
                "noID",
                at: declaration.name,
                "'\(declaration.name.bareText)' has no primary key: add 'var id: Int64?' or mark a property with @ID",
                fixIts: [fix]
            )
        }

        static func conditionalProperty(at node: some SyntaxProtocol) -> ModelDiagnostic {
            ModelDiagnostic(
                "conditionalProperty",
                at: node,
                "@Model cannot tell whether a stored property under #if exists; a table has its columns in every build"
            )
        }
    }

    // MARK: - Properties

    extension ModelDiagnostic {
        static func tuplePattern(at pattern: PatternSyntax) -> ModelDiagnostic {
            ModelDiagnostic(
                "tuplePattern",
                at: pattern,
                "@Model needs one name per property; '\(pattern.trimmedDescription)' declares several at once"
            )
        }

        static func missingType(
            _ name: String,
            binding: PatternBindingSyntax,
            suggestion: TypeSyntax?
        ) -> ModelDiagnostic {
            let type = suggestion ?? TypeSyntax("<#Type#>")
            var typed = binding
            var pattern = binding.pattern
            let space = pattern.trailingTrivia
            pattern.trailingTrivia = []
            typed.pattern = pattern
            typed.typeAnnotation = TypeAnnotationSyntax(
                colon: .colonToken(trailingTrivia: .space),
                type: type.with(\.trailingTrivia, space)
            )
            return ModelDiagnostic(
                "missingType",
                at: binding.pattern,
                "@Model reads the source, not inferred types: write the type of '\(name)'",
                fixIts: [.replacing(binding, with: typed, "write ': \(type.trimmedDescription)'")]
            )
        }

        static func initializedLet(_ name: String, specifier: TokenSyntax) -> ModelDiagnostic {
            ModelDiagnostic(
                "initializedLet",
                at: specifier,
                "'\(name)' is a 'let' with a value, so no row could ever set it; make it a 'var', or 'static'",
                fixIts: [.letToVar(specifier)]
            )
        }

        static func strayMarker(_ marker: String, at node: some SyntaxProtocol) -> ModelDiagnostic {
            ModelDiagnostic(
                "strayMarker",
                at: node,
                "@\(marker) belongs on a stored property of a struct with @Model"
            )
        }

        static func repeatedMarker(_ marker: String, at node: some SyntaxProtocol, first: Syntax) -> ModelDiagnostic {
            ModelDiagnostic(
                "repeatedMarker",
                at: node,
                "@\(marker) is there twice",
                notes: [Note(node: first, message: ModelMessage(id: "note", message: "the first one is here"))]
            )
        }

        static func columnNotLiteral(_ marker: String, at node: some SyntaxProtocol) -> ModelDiagnostic {
            ModelDiagnostic(
                "columnNotLiteral",
                at: node,
                "\(marker) needs the name of a column as a string literal without interpolation"
            )
        }

        static func badColumn(
            _ problem: String,
            name: String,
            isWritten: Bool,
            at node: some SyntaxProtocol
        ) -> ModelDiagnostic {
            isWritten
                ? ModelDiagnostic("badColumn", at: node, "the name of the column \(problem)")
                : ModelDiagnostic(
                    "badColumn",
                    at: node,
                    "the column '\(name)' of this property \(problem); give it a name with @Column(\"…\")"
                )
        }

        static func duplicateColumn(_ column: String, at node: Syntax, first: Syntax) -> ModelDiagnostic {
            ModelDiagnostic(
                "duplicateColumn",
                at: node,
                "the column '\(column)' is taken by another property",
                notes: [Note(node: first, message: ModelMessage(id: "note", message: "'\(column)' is first used here"))]
            )
        }
    }

    // MARK: - The primary key

    extension ModelDiagnostic {
        static func severalIDs(at node: some SyntaxProtocol, first: Syntax) -> ModelDiagnostic {
            ModelDiagnostic(
                "severalIDs",
                at: node,
                "@Model takes one @ID; a key of several columns needs a conformance to Model written by hand",
                notes: [Note(node: first, message: ModelMessage(id: "note", message: "the other @ID is here"))]
            )
        }

        static func constantID(_ property: ModelProperty) -> ModelDiagnostic {
            ModelDiagnostic(
                "constantID",
                at: property.specifier,
                "the primary key '\(property.name)' must be a 'var': inserting the row sets it",
                fixIts: [.letToVar(property.specifier)]
            )
        }

        static func nonOptionalID(_ property: ModelProperty) -> ModelDiagnostic {
            let optional = OptionalTypeSyntax(wrappedType: property.type.trimmed)
            return ModelDiagnostic(
                "nonOptionalID",
                at: property.type,
                "'id' must be optional: it is nil until the database has made the key",
                fixIts: [.replacing(property.type, with: optional, "write '\(optional.trimmedDescription)'")]
            )
        }

        static func idTaken(_ property: ModelProperty, by identity: ModelProperty) -> ModelDiagnostic {
            ModelDiagnostic(
                "idTaken",
                at: property.token,
                "'id' stands for the primary key, which @ID says is '\(identity.name)'; "
                    + "name this property otherwise and keep its column with @Column(\"\(property.column)\")"
            )
        }

        static func fieldAsID(_ marker: some SyntaxProtocol) -> ModelDiagnostic {
            ModelDiagnostic("fieldAsID", at: marker, "a file cannot be the primary key")
        }
    }

    // MARK: - Files and images

    extension ModelDiagnostic {
        static func constantField(_ name: String, kind: FieldKind, specifier: TokenSyntax) -> ModelDiagnostic {
            ModelDiagnostic(
                "constantField",
                at: specifier,
                "'\(name)' must be a 'var': @\(kind.rawValue) is a property wrapper",
                fixIts: [.letToVar(specifier)]
            )
        }

        static func wrongFieldType(_ name: String, kind: FieldKind, type: TypeSyntax) -> ModelDiagnostic {
            let expected = TypeSyntax("\(raw: kind.valueType)?")
            return ModelDiagnostic(
                "wrongFieldType",
                at: type,
                "@\(kind.rawValue) needs '\(name)' to be of type '\(expected)', not '\(type.trimmedDescription)'",
                fixIts: [.replacing(type, with: expected, "write '\(expected)'")]
            )
        }

        static func twoWrappers(at node: some SyntaxProtocol) -> ModelDiagnostic {
            ModelDiagnostic("twoWrappers", at: node, "a property is a file or an image, not both")
        }

        static func missingStorage(_ kind: FieldKind, attribute: AttributeSyntax) -> ModelDiagnostic {
            ModelDiagnostic(
                "missingStorage",
                at: attribute,
                "@\(kind.rawValue) needs a storage: @\(kind.rawValue)(in: .media)"
            )
        }

        static func notStatic(
            _ part: ExprSyntax,
            of value: ExprSyntax,
            label: String,
            kind: FieldKind
        ) -> ModelDiagnostic {
            var fixIts: [FixIt] = []
            if label == "in", let name = value.as(DeclReferenceExprSyntax.self), name.argumentNames == nil {
                let member = ExprSyntax(
                    MemberAccessExprSyntax(
                        period: .periodToken(),
                        declName: DeclReferenceExprSyntax(baseName: name.baseName.trimmed)
                    )
                )
                fixIts.append(.replacing(part, with: member, "write '\(member)', a static member of StorageID"))
            }
            return ModelDiagnostic(
                "notStatic",
                at: part,
                "@\(kind.rawValue) takes literals and static members, because @Model copies its arguments into a "
                    + "static description of the field; in '\(label):' it cannot copy '\(part.trimmedDescription)'",
                fixIts: fixIts
            )
        }

        static func oneSizeColumn(_ label: String, missing: String, at node: some SyntaxProtocol) -> ModelDiagnostic {
            ModelDiagnostic(
                "oneSizeColumn",
                at: node,
                "'\(label):' without '\(missing):'; an image keeps both sizes in columns, or none"
            )
        }

        static func twoNames(at node: some SyntaxProtocol, first: Syntax) -> ModelDiagnostic {
            ModelDiagnostic(
                "twoNames",
                at: node,
                "the column is named twice",
                notes: [Note(node: first, message: ModelMessage(id: "note", message: "'column:' names it here"))]
            )
        }

        static func noDefault(_ name: String, kind: FieldKind, binding: PatternBindingSyntax) -> ModelDiagnostic {
            let end = binding.trailingTrivia
            var initialized = binding
            initialized.trailingTrivia = []
            initialized.initializer = InitializerClauseSyntax(
                equal: .equalToken(leadingTrivia: .space, trailingTrivia: .space),
                value: NilLiteralExprSyntax().with(\.trailingTrivia, end)
            )
            return ModelDiagnostic(
                "noDefault",
                at: binding.pattern,
                "without '= nil' the memberwise initializer takes '\(name)' as a \(kind.rawValue), not as a "
                    + kind.valueType,
                severity: .warning,
                fixIts: [.replacing(binding, with: initialized, "write '= nil'")]
            )
        }
    }

    extension FixIt {
        fileprivate static func letToVar(_ specifier: TokenSyntax) -> FixIt {
            .replacing(specifier, with: TokenSyntax.keyword(.var), "make it a 'var'")
        }
    }
#endif
