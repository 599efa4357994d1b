#if Macros
    import SwiftSyntax

    /// Expressions that mean the same in a property's attribute and in a static member of its type.
    enum StaticExpression {
        /// Finds the part of an expression that is neither a literal nor a reference to a static member.
        ///
        /// A macro sees syntax: whether `x.y` is a static member is told by the capital letter of the type it starts
        /// from, or by the dot it starts with.
        ///
        /// - Parameters:
        ///   - expression: The expression to judge.
        ///   - allowsClosures: Whether a closure is fine too; what it does inside is its own affair.
        /// - Returns: The first offending part, or `nil` when the expression can be copied.
        static func offender(in expression: ExprSyntax, allowsClosures: Bool) -> ExprSyntax? {
            func first(_ parts: some Sequence<ExprSyntax>) -> ExprSyntax? {
                for part in parts {
                    if let found = offender(in: part, allowsClosures: allowsClosures) { return found }
                }
                return nil
            }
            switch expression.as(ExprSyntaxEnum.self) {
            case .booleanLiteralExpr, .floatLiteralExpr, .integerLiteralExpr, .nilLiteralExpr,
                .simpleStringLiteralExpr, .regexLiteralExpr, .binaryOperatorExpr:
                return nil
            case .stringLiteralExpr(let literal):
                return literal.segments.contains { $0.is(ExpressionSegmentSyntax.self) } ? expression : nil
            case .arrayExpr(let array):
                return first(array.elements.map(\.expression))
            case .dictionaryExpr(let dictionary):
                guard case .elements(let elements) = dictionary.content else { return nil }
                return first(elements.flatMap { [$0.key, $0.value] })
            case .tupleExpr(let tuple):
                return first(tuple.elements.map(\.expression))
            case .sequenceExpr(let sequence):
                return first(sequence.elements)
            case .infixOperatorExpr(let infix):
                return first([infix.leftOperand, infix.operator, infix.rightOperand])
            case .prefixOperatorExpr(let prefixed):
                return first([prefixed.expression])
            case .postfixOperatorExpr(let postfixed):
                return first([postfixed.expression])
            case .declReferenceExpr(let reference):
                return isTypeName(reference.baseName.text) ? nil : expression
            case .genericSpecializationExpr(let specialization):
                return first([specialization.expression])
            case .memberAccessExpr(let member):
                return member.base.map { first([$0]) } ?? nil
            case .functionCallExpr(let call):
                if !allowsClosures, let closure = call.trailingClosure { return ExprSyntax(closure) }
                return first([call.calledExpression] + call.arguments.map(\.expression))
            case .closureExpr:
                return allowsClosures ? nil : expression
            default:
                return expression
            }
        }

        private static func isTypeName(_ name: String) -> Bool {
            name.first { $0 != "_" && $0 != "`" }?.isUppercase ?? false
        }
    }
#endif
