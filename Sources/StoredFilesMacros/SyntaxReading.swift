#if Macros
    import SwiftParser
    import SwiftSyntax

    extension AttributeListSyntax {
        /// The attributes of a name, written alone or behind the module that declares it.
        func attributes(named name: String) -> [AttributeSyntax] {
            compactMap { element in
                guard case .attribute(let attribute) = element, attribute.isNamed(name) else { return nil }
                return attribute
            }
        }

        /// Returns whether there is an attribute of that name.
        func contains(attribute name: String) -> Bool {
            !attributes(named: name).isEmpty
        }
    }

    extension AttributeSyntax {
        /// Returns whether this is `@name`, `@StoredFiles.name` or `@PostgresModels.name`.
        func isNamed(_ name: String) -> Bool {
            if let identifier = attributeName.as(IdentifierTypeSyntax.self) { return identifier.name.text == name }
            guard let member = attributeName.as(MemberTypeSyntax.self), member.name.text == name else { return false }
            let module = member.baseType.as(IdentifierTypeSyntax.self)?.name.text
            return module == "StoredFiles" || module == "PostgresModels"
        }

        /// The arguments between the parentheses.
        var labeledArguments: [LabeledExprSyntax] {
            guard case .argumentList(let list) = arguments else { return [] }
            return Array(list)
        }
    }

    extension ExprSyntax {
        /// The text of a string literal without interpolation.
        var literalText: String? {
            self.as(StringLiteralExprSyntax.self)?.representedLiteralValue
        }
    }

    extension TypeSyntax {
        /// `T` of `T?`, `T!`, `Optional<T>` and `Swift.Optional<T>`; `nil` for everything else.
        var optionalWrapped: TypeSyntax? {
            if let optional = self.as(OptionalTypeSyntax.self) { return optional.wrappedType }
            if let implicit = self.as(ImplicitlyUnwrappedOptionalTypeSyntax.self) { return implicit.wrappedType }
            let (name, arguments) = nominalName
            guard name == "Optional", let arguments, let only = arguments.first, arguments.count == 1 else {
                return nil
            }
            // Up to swift-syntax 600 an argument is a type, later a choice of types and values; a node is both.
            return Syntax(only.argument).as(TypeSyntax.self)
        }

        /// The last component of a type's name, with its generic arguments.
        var nominalName: (name: String?, arguments: GenericArgumentListSyntax?) {
            if let identifier = self.as(IdentifierTypeSyntax.self) {
                return (identifier.name.text, identifier.genericArgumentClause?.arguments)
            }
            if let member = self.as(MemberTypeSyntax.self) {
                return (member.name.text, member.genericArgumentClause?.arguments)
            }
            return (nil, nil)
        }
    }

    extension DeclModifierListSyntax {
        /// Returns whether one of the keywords is among the modifiers; `private(set)` is not `private`.
        func contains(anyOf keywords: [Keyword]) -> Bool {
            first(of: keywords) != nil
        }

        /// The first modifier that is one of the keywords, without those that speak of the setter alone.
        func first(of keywords: [Keyword]) -> DeclModifierSyntax? {
            first { modifier in
                modifier.detail == nil && keywords.contains { modifier.name.tokenKind == .keyword($0) }
            }
        }
    }

    extension TokenSyntax {
        /// The text without backticks.
        var bareText: String {
            let text = self.text
            guard text.count > 2, text.hasPrefix("`"), text.hasSuffix("`") else { return text }
            return String(text.dropFirst().dropLast())
        }
    }

    extension PatternBindingSyntax {
        /// A Boolean value that indicates whether the binding has a getter instead of storage; `willSet` and `didSet`
        /// leave it stored.
        var isComputed: Bool {
            switch accessorBlock?.accessors {
            case nil: false
            case .getter: true
            case .accessors(let accessors):
                !accessors.allSatisfy {
                    $0.accessorSpecifier.tokenKind == .keyword(.willSet)
                        || $0.accessorSpecifier.tokenKind == .keyword(.didSet)
                }
            }
        }
    }
#endif
