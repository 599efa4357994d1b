#if Macros
    public import SwiftSyntax
    public import SwiftSyntaxMacros

    /// Implements `@Model("table")`: writes the extension that a person would write, with the columns, the positional
    /// reading and writing of a row, and a static description of every file and image.
    ///
    /// Whatever is wrong with the struct is said by a diagnostic at the place, all of it in one go; the expansion is
    /// then left out.
    public struct ModelMacro: ExtensionMacro {
        /// Writes the extension.
        public static func expansion(
            of node: AttributeSyntax,
            attachedTo declaration: some DeclGroupSyntax,
            providingExtensionsOf type: some TypeSyntaxProtocol,
            conformingTo protocols: [TypeSyntax],
            in context: some MacroExpansionContext
        ) throws -> [ExtensionDeclSyntax] {
            var reader = ModelReader(attribute: node, lexicalContext: context.lexicalContext)
            let model = reader.read(declaration)
            for diagnostic in reader.diagnostics { context.diagnose(diagnostic) }
            guard let model, !reader.diagnostics.contains(where: \.isError) else { return [] }
            return [try ModelExpansion(model: model, type: TypeSyntax(type.trimmed), missing: protocols).declaration()]
        }
    }
#endif
