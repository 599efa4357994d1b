#if Macros
    public import SwiftSyntax
    public import SwiftSyntaxMacros

    /// Implements `@ID`: expands to nothing, ``ModelMacro`` reads it.
    public struct IDMacro: PeerMacro {
        /// Makes sure that the attribute stands where `@Model` sees it.
        public static func expansion(
            of node: AttributeSyntax,
            providingPeersOf declaration: some DeclSyntaxProtocol,
            in context: some MacroExpansionContext
        ) throws -> [DeclSyntax] {
            checkPlace(of: node, named: "ID", on: declaration, in: context)
            return []
        }
    }

    /// Implements `@Column("name")`: expands to nothing, ``ModelMacro`` reads it.
    public struct ColumnMacro: PeerMacro {
        /// Makes sure that the attribute stands where `@Model` sees it.
        public static func expansion(
            of node: AttributeSyntax,
            providingPeersOf declaration: some DeclSyntaxProtocol,
            in context: some MacroExpansionContext
        ) throws -> [DeclSyntax] {
            checkPlace(of: node, named: "Column", on: declaration, in: context)
            return []
        }
    }

    /// Diagnoses an attribute that no model's macro will ever read.
    ///
    /// What it means on a property of a model is for the model's macro to judge.
    private func checkPlace(
        of node: AttributeSyntax,
        named name: String,
        on declaration: some DeclSyntaxProtocol,
        in context: some MacroExpansionContext
    ) {
        let isInModel =
            context.lexicalContext.first?.asProtocol((any DeclGroupSyntax).self).map { group in
                group.attributes.contains(attribute: "Model")
            } ?? false
        guard declaration.is(VariableDeclSyntax.self), isInModel else {
            context.diagnose(.strayMarker(name, at: node))
            return
        }
    }
#endif
