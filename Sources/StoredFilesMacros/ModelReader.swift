#if Macros
    import SwiftSyntax

    /// Reads a struct with `@Model` and collects everything that is wrong with it.
    struct ModelReader {
        let attribute: AttributeSyntax
        let lexicalContext: [Syntax]

        /// The diagnostics so far, in the order of the source as far as one pass goes.
        var diagnostics: [ModelDiagnostic] = []

        /// Names of stored properties that were left out because something is wrong with them.
        var rejected: Set<String> = []

        /// The first `@ID` on a property, valid or not, and the property's name.
        var idMarker: (node: Syntax, property: String)?

        init(attribute: AttributeSyntax, lexicalContext: [Syntax]) {
            self.attribute = attribute
            self.lexicalContext = lexicalContext
        }

        /// Reads the declaration.
        ///
        /// - Returns: The model, or `nil` when so much is missing that there is none; ``diagnostics`` says why. A model
        ///   that is returned may still have errors there.
        mutating func read(_ declaration: some DeclGroupSyntax) -> ModelDescription? {
            guard let declaration = declaration.as(StructDeclSyntax.self) else {
                let (kind, name) = declaration.kindAndName
                diagnostics.append(.notAStruct(kind, keyword: declaration.introducer, name: name))
                return nil
            }
            if !lexicalContext.isEmpty, let modifier = declaration.modifiers.first(of: [.private]) {
                diagnostics.append(.privateNested(declaration.name.bareText, modifier: modifier))
            }
            let table = readTable()
            let properties = readProperties(of: declaration)
            checkColumns(of: properties)
            let identity = findIdentity(in: properties, of: declaration)
            guard let table, let identity else { return nil }
            return ModelDescription(
                table: table,
                access: access(of: declaration),
                properties: properties,
                identity: identity,
                declaresIDMapping: identity.name != "id" && declaration.declaresComputedID,
                isGeneric: isGeneric(declaration)
            )
        }

        private mutating func readTable() -> String? {
            let argument = attribute.labeledArguments.first
            guard let argument, let table = argument.expression.literalText else {
                diagnostics.append(.tableNotLiteral(at: argument.map { Syntax($0.expression) } ?? Syntax(attribute)))
                return nil
            }
            if let problem = ColumnName.problem(with: table) {
                diagnostics.append(.badTable(problem, at: argument.expression))
            }
            return table
        }

        private mutating func checkColumns(of properties: [ModelProperty]) {
            var first: [String: Syntax] = [:]
            for property in properties {
                let sizes = property.field?.sizeColumns.map { ($0.name, $0.source) } ?? []
                for (name, source) in [(property.column, property.columnSource)] + sizes {
                    if let problem = ColumnName.problem(with: name) {
                        let isWritten = source.is(StringLiteralExprSyntax.self)
                        diagnostics.append(.badColumn(problem, name: name, isWritten: isWritten, at: source))
                    } else if let other = first[name] {
                        diagnostics.append(.duplicateColumn(name, at: source, first: other))
                    } else {
                        first[name] = source
                    }
                }
            }
        }

        private mutating func findIdentity(
            in properties: [ModelProperty],
            of declaration: StructDeclSyntax
        ) -> ModelProperty? {
            let name = idMarker?.property ?? "id"
            guard let identity = properties.first(where: { $0.name == name }) else {
                if !rejected.contains(name) { diagnostics.append(.noID(in: declaration)) }
                return nil
            }
            if identity.field != nil {
                diagnostics.append(.fieldAsID(idMarker?.node ?? Syntax(identity.token)))
                return nil
            }
            if identity.specifier.tokenKind == .keyword(.let) {
                diagnostics.append(.constantID(identity))
            }
            if identity.name == "id", identity.unwrappedType == nil {
                diagnostics.append(.nonOptionalID(identity))
            }
            if identity.name != "id", let other = properties.first(where: { $0.name == "id" }) {
                diagnostics.append(.idTaken(other, by: identity))
            }
            return identity
        }

        // MARK: - Surroundings

        /// The access that the members of a conformance need.
        ///
        /// A struct inside a `public extension` is public without saying so.
        private func access(of declaration: StructDeclSyntax) -> String? {
            let levels: [Keyword] = [.public, .package, .internal, .fileprivate, .private]
            let own = declaration.modifiers.first(of: levels)
            let inherited = lexicalContext.first?.as(ExtensionDeclSyntax.self)?.modifiers.first(of: levels)
            switch (own ?? inherited)?.name.tokenKind {
            case .keyword(.public): return "public"
            case .keyword(.package): return "package"
            default: return nil
            }
        }

        private func isGeneric(_ declaration: StructDeclSyntax) -> Bool {
            if declaration.genericParameterClause != nil { return true }
            return lexicalContext.contains { context in
                context.asProtocol((any WithGenericParametersSyntax).self)?.genericParameterClause != nil
            }
        }
    }

    extension DeclGroupSyntax {
        /// The kind of the declaration, with an article, and its name.
        fileprivate var kindAndName: (kind: String, name: String?) {
            let name = asProtocol((any NamedDeclSyntax).self)?.name.bareText
            return switch introducer.tokenKind {
            case .keyword(.class): ("a class", name)
            case .keyword(.enum): ("an enum", name)
            case .keyword(.actor): ("an actor", name)
            default: ("something else", name)
            }
        }
    }

    extension StructDeclSyntax {
        /// A Boolean value that indicates whether the struct has a computed `id` of its own.
        fileprivate var declaresComputedID: Bool {
            memberBlock.members.contains { member in
                guard let variable = member.decl.as(VariableDeclSyntax.self),
                    !variable.modifiers.contains(anyOf: [.static])
                else { return false }
                return variable.bindings.contains { binding in
                    binding.isComputed && binding.pattern.as(IdentifierPatternSyntax.self)?.identifier.bareText == "id"
                }
            }
        }

        /// A Boolean value that indicates whether the struct has an initializer of its own, and so no memberwise one.
        var declaresInitializer: Bool {
            memberBlock.members.contains { $0.decl.is(InitializerDeclSyntax.self) }
        }
    }
#endif
