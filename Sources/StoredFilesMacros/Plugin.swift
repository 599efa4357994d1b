#if Macros
    import SwiftCompilerPlugin
    import SwiftSyntaxMacros

    /// The executable that the compiler starts to expand the macros of this package.
    @main
    struct StoredFilesMacrosPlugin: CompilerPlugin {
        let providingMacros: [any Macro.Type] = [ModelMacro.self, IDMacro.self, ColumnMacro.self]
    }
#else
    /// Without the trait `Macros` nothing asks for the plugin, and swift-syntax is not built; an executable still needs
    /// an entry point.
    @main
    struct StoredFilesMacrosPlugin {
        static func main() {}
    }
#endif
