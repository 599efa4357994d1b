#if Macros
    import SwiftSyntax
    import SwiftSyntaxBuilder

    extension ModelReader {
        /// The stored properties of the struct, in order.
        ///
        /// Static, lazy and computed ones are no columns.
        mutating func readProperties(of declaration: StructDeclSyntax) -> [ModelProperty] {
            var properties: [ModelProperty] = []
            for member in declaration.memberBlock.members {
                if let variable = member.decl.as(VariableDeclSyntax.self) {
                    properties += readProperties(
                        of: variable,
                        hasMemberwiseInitializer: !declaration.declaresInitializer
                    )
                } else if let condition = member.decl.as(IfConfigDeclSyntax.self) {
                    rejectStoredProperties(under: condition)
                }
            }
            return properties
        }

        private mutating func readProperties(
            of variable: VariableDeclSyntax,
            hasMemberwiseInitializer: Bool
        ) -> [ModelProperty] {
            guard !variable.modifiers.contains(anyOf: [.static, .class, .lazy]) else {
                rejectMarkers(on: variable)
                return []
            }
            let bindings = Array(variable.bindings)
            return bindings.indices.compactMap { index in
                let binding = bindings[index]
                guard !binding.isComputed else {
                    rejectMarkers(on: variable)
                    return nil
                }
                guard let name = binding.pattern.as(IdentifierPatternSyntax.self)?.identifier else {
                    diagnostics.append(.tuplePattern(at: binding.pattern))
                    return nil
                }
                let property = readProperty(
                    name,
                    binding: binding,
                    type: Self.type(at: index, of: bindings),
                    of: variable,
                    hasMemberwiseInitializer: hasMemberwiseInitializer
                )
                if property == nil { rejected.insert(name.bareText) }
                return property
            }
        }

        /// The type of a binding; in `var a, b: Int` the type of `b` is also that of `a`.
        private static func type(at index: Int, of bindings: [PatternBindingSyntax]) -> TypeSyntax? {
            for binding in bindings[index...] {
                if let type = binding.typeAnnotation?.type { return type }
                if binding.initializer != nil { return nil }
            }
            return nil
        }

        private mutating func readProperty(
            _ token: TokenSyntax,
            binding: PatternBindingSyntax,
            type: TypeSyntax?,
            of variable: VariableDeclSyntax,
            hasMemberwiseInitializer: Bool
        ) -> ModelProperty? {
            let name = token.bareText
            noteID(on: variable, property: name)
            let isWritten = readColumn(of: variable)
            let wrappers = FieldKind.allCases.flatMap { kind in
                variable.attributes.attributes(named: kind.rawValue).map { (kind: kind, attribute: $0) }
            }
            if wrappers.count > 1 {
                diagnostics.append(.twoWrappers(at: wrappers[1].attribute))
                return nil
            }
            let wrapper = wrappers.first
            let isConstant = variable.bindingSpecifier.tokenKind == .keyword(.let)
            guard let type else {
                let suggestion = wrapper.map { TypeSyntax("\(raw: $0.kind.valueType)?") } ?? binding.suggestedType
                diagnostics.append(.missingType(name, binding: binding, suggestion: suggestion))
                return nil
            }
            var field: FieldDescription?
            var columnSource = isWritten?.source
            var column = isWritten?.name
            if let wrapper {
                if isConstant {
                    diagnostics.append(.constantField(name, kind: wrapper.kind, specifier: variable.bindingSpecifier))
                    return nil
                }
                guard type.optionalWrapped?.nominalName.name == wrapper.kind.valueType else {
                    diagnostics.append(.wrongFieldType(name, kind: wrapper.kind, type: type))
                    return nil
                }
                guard let arguments = readField(wrapper.kind, wrapper.attribute) else { return nil }
                if let named = arguments.column {
                    if let columnSource { diagnostics.append(.twoNames(at: columnSource, first: named.source)) }
                    (column, columnSource) = (named.name, named.source)
                }
                if binding.initializer == nil, hasMemberwiseInitializer {
                    diagnostics.append(.noDefault(name, kind: wrapper.kind, binding: binding))
                }
                field = arguments.description
            } else if isConstant, binding.initializer != nil {
                diagnostics.append(.initializedLet(name, specifier: variable.bindingSpecifier))
                return nil
            }
            return ModelProperty(
                name: name,
                token: token,
                type: type,
                column: column ?? ColumnName.snakeCase(name),
                columnSource: columnSource ?? Syntax(token),
                specifier: variable.bindingSpecifier,
                field: field
            )
        }

        // MARK: - Markers

        private mutating func noteID(on variable: VariableDeclSyntax, property: String) {
            for marker in variable.attributes.attributes(named: "ID") {
                if let idMarker {
                    diagnostics.append(.severalIDs(at: marker, first: idMarker.node))
                } else {
                    idMarker = (Syntax(marker), property)
                }
            }
        }

        private mutating func readColumn(of variable: VariableDeclSyntax) -> (name: String, source: Syntax)? {
            let markers = variable.attributes.attributes(named: "Column")
            for marker in markers.dropFirst() {
                diagnostics.append(.repeatedMarker("Column", at: marker, first: Syntax(markers[0])))
            }
            guard let marker = markers.first else { return nil }
            let argument = marker.labeledArguments.first
            guard let argument, let name = argument.expression.literalText else {
                let place = argument.map { Syntax($0.expression) } ?? Syntax(marker)
                diagnostics.append(.columnNotLiteral("@Column", at: place))
                return nil
            }
            return (name, Syntax(argument.expression))
        }

        private mutating func rejectMarkers(on variable: VariableDeclSyntax) {
            for name in ["ID", "Column"] + FieldKind.allCases.map(\.rawValue) {
                for marker in variable.attributes.attributes(named: name) {
                    diagnostics.append(.strayMarker(name, at: marker))
                }
            }
        }

        private mutating func rejectStoredProperties(under condition: IfConfigDeclSyntax) {
            for clause in condition.clauses {
                guard case .decls(let members) = clause.elements else { continue }
                for member in members {
                    if let nested = member.decl.as(IfConfigDeclSyntax.self) {
                        rejectStoredProperties(under: nested)
                    } else if let variable = member.decl.as(VariableDeclSyntax.self),
                        !variable.modifiers.contains(anyOf: [.static, .class, .lazy]),
                        let stored = variable.bindings.first(where: { !$0.isComputed })
                    {
                        diagnostics.append(.conditionalProperty(at: stored.pattern))
                    }
                }
            }
        }
    }

    extension PatternBindingSyntax {
        /// The type that Swift would infer, where the initial value shows it plainly.
        fileprivate var suggestedType: TypeSyntax? {
            guard var value = initializer?.value else { return nil }
            if let negated = value.as(PrefixOperatorExprSyntax.self) { value = negated.expression }
            switch value.as(ExprSyntaxEnum.self) {
            case .stringLiteralExpr: return "String"
            case .integerLiteralExpr: return "Int"
            case .floatLiteralExpr: return "Double"
            case .booleanLiteralExpr: return "Bool"
            case .functionCallExpr(let call):
                guard let type = call.calledExpression.as(DeclReferenceExprSyntax.self)?.baseName,
                    type.text.first?.isUppercase == true
                else { return nil }
                return TypeSyntax(IdentifierTypeSyntax(name: type.trimmed))
            default: return nil
            }
        }
    }
#endif
