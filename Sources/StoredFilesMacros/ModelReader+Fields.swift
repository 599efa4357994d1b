#if Macros
    import SwiftSyntax

    extension ModelReader {
        /// A column that an argument names, with the literal that does.
        typealias NamedColumn = (name: String, source: Syntax)

        /// Reads the arguments of `@StoredFile` or `@StoredImage`.
        ///
        /// - Returns: The description and what `column:` says, or `nil` when the arguments cannot be copied.
        mutating func readField(
            _ kind: FieldKind,
            _ attribute: AttributeSyntax
        ) -> (description: FieldDescription, column: NamedColumn?)? {
            let before = diagnostics.count
            var storage: ExprSyntax?
            var columns: [String: NamedColumn] = [:]
            var others: [(label: String, value: ExprSyntax)] = []
            for argument in attribute.labeledArguments {
                let value = argument.expression
                switch argument.label?.text {
                case "in":
                    storage = value
                    checkStatic(value, label: "in", of: kind)
                case "column", "width", "height":
                    guard let label = argument.label?.text, !value.is(NilLiteralExprSyntax.self) else { continue }
                    if let name = value.literalText {
                        columns[label] = (name, Syntax(value))
                    } else {
                        diagnostics.append(.columnNotLiteral("'\(label):'", at: value))
                    }
                case "wrappedValue", nil:
                    // The value of one row, or something that the wrapper's initializer refuses in better words.
                    continue
                case let label?:
                    others.append((label, value.trimmed))
                    checkStatic(value, label: label, of: kind)
                }
            }
            for (label, other) in [("width", "height"), ("height", "width")] {
                if let column = columns[label], columns[other] == nil, diagnostics.count == before {
                    diagnostics.append(.oneSizeColumn(label, missing: other, at: column.source))
                }
            }
            guard let storage else {
                diagnostics.append(.missingStorage(kind, attribute: attribute))
                return nil
            }
            guard diagnostics.count == before else { return nil }
            let sizes = ["width", "height"].compactMap { label in
                columns[label].map { (label: label, name: $0.name, source: $0.source) }
            }
            let description = FieldDescription(
                kind: kind,
                storage: storage.trimmed,
                sizeColumns: sizes,
                others: others
            )
            return (description, columns["column"])
        }

        private mutating func checkStatic(_ value: ExprSyntax, label: String, of kind: FieldKind) {
            if let part = StaticExpression.offender(in: value, allowsClosures: label == "path") {
                diagnostics.append(
                    .notStatic(part, of: value, label: label, kind: kind)
                )
            }
        }
    }
#endif
