#if Macros
    import SwiftSyntax

    /// A struct with `@Model`, read and checked: enough to write the conformance.
    struct ModelDescription {
        /// The table, as the attribute names it.
        let table: String

        /// The access modifier of the members that the protocol requires: `public`, `package` or none.
        let access: String?

        /// The stored properties in declaration order, which is the order of the columns.
        let properties: [ModelProperty]

        /// The property of the primary key.
        let identity: ModelProperty

        /// A Boolean value that indicates whether the struct itself maps `id` although `@ID` marks another property.
        let declaresIDMapping: Bool

        /// A Boolean value that indicates whether the struct is generic or nested in a generic type, where Swift has no
        /// stored static properties.
        let isGeneric: Bool

        /// The properties with `@StoredFile` or `@StoredImage`.
        var fields: [(property: ModelProperty, field: FieldDescription)] {
            properties.compactMap { property in property.field.map { (property, $0) } }
        }
    }

    /// A stored property of a model.
    struct ModelProperty {
        /// The name without backticks.
        let name: String

        /// The name as the declaration writes it, for diagnostics.
        let token: TokenSyntax

        /// The type as the declaration writes it.
        let type: TypeSyntax

        /// The column; of a field, the column of the file's name.
        let column: String

        /// The syntax that chose the column: the literal of `@Column` or `column:`, otherwise the property's name.
        let columnSource: Syntax

        /// `let` or `var`.
        let specifier: TokenSyntax

        /// The description of the field when the property is a file or an image.
        let field: FieldDescription?

        /// The name as code has to write it.
        var reference: String { token.text }

        /// `T` of `T?`, or `nil` when the type is not written as an optional.
        var unwrappedType: TypeSyntax? { type.optionalWrapped }
    }

    /// The arguments of `@StoredFile` or `@StoredImage`.
    struct FieldDescription {
        /// The kind of the field: file or image.
        let kind: FieldKind

        /// The storage, as written.
        let storage: ExprSyntax

        /// The columns of width and height, with the literals that name them; none or both.
        let sizeColumns: [(label: String, name: String, source: Syntax)]

        /// The other arguments of the wrapper, as written.
        let others: [(label: String, value: ExprSyntax)]
    }

    /// The two property wrappers that `@Model` knows.
    enum FieldKind: String, CaseIterable {
        case file = "StoredFile"
        case image = "StoredImage"

        /// The type that the wrapped property holds an optional of.
        var valueType: String {
            switch self {
            case .file: "StorageFile"
            case .image: "StorageImage"
            }
        }

        /// The function of `StoredField` that describes such a field.
        var factory: String {
            switch self {
            case .file: "file"
            case .image: "image"
            }
        }

        /// The function of `RowDecoder` that reads such a field.
        var reader: String {
            switch self {
            case .file: "storedFile"
            case .image: "storedImage"
            }
        }
    }
#endif
