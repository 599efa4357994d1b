#if Macros
    import SwiftSyntax
    import SwiftSyntaxBuilder

    /// Writes the extension that makes a struct a model.
    struct ModelExpansion {
        let model: ModelDescription

        /// The struct, as code outside of it names it.
        let type: TypeSyntax

        /// The protocols to conform to that the struct does not name itself.
        let missing: [TypeSyntax]

        func declaration() throws -> ExtensionDeclSyntax {
            let members = [table, idColumn, columns] + fieldMembers + [idMapping, decoder, encoder]
            let body = members.compactMap(\.self).joined(separator: "\n\n")
            return try ExtensionDeclSyntax("extension \(type)\(raw: conformance) {\n\(raw: body)\n}")
        }

        private var conformance: String {
            let names = Set(missing.compactMap(\.nominalName.name))
            let wanted = model.fields.isEmpty ? ["Model"] : ["Model", "FieldModel"]
            let protocols = wanted.filter(names.contains).map { "PostgresModels.\($0)" }
            return protocols.isEmpty ? "" : ": \(protocols.joined(separator: ", "))"
        }

        private var access: String { model.access.map { "\($0) " } ?? "" }

        private var table: String {
            """
            \(access)static var table: String {
                \(literal(model.table))
            }
            """
        }

        private var idColumn: String {
            """
            \(access)static var idColumn: String {
                \(literal(model.identity.column))
            }
            """
        }

        // MARK: - Columns

        private var columns: String {
            let list = model.properties.flatMap { property -> [String] in
                guard let field = property.field else { return [plainColumn(property)] }
                let keyPath = "\\Self.\(property.reference)"
                let sizes = field.sizeColumns.map { fieldColumn($0.name, type: ".integer", keyPath: keyPath) }
                return [fieldColumn(property.column, type: ".text", keyPath: keyPath)] + sizes
            }
            return constant("columns", access: access, type: "[PostgresModels.ModelColumn]", value: array(list))
        }

        private func plainColumn(_ property: ModelProperty) -> String {
            "PostgresModels.ModelColumn(\(literal(property.column)), \\Self.\(property.reference))"
        }

        private func fieldColumn(_ name: String, type: String, keyPath: String) -> String {
            "PostgresModels.ModelColumn(\(literal(name)), type: \(type), isOptional: true, keyPath: \(keyPath))"
        }

        // MARK: - Fields

        private var fieldMembers: [String] {
            guard !model.fields.isEmpty else { return [] }
            let type = "StoredFiles.StoredField<Self>"
            let descriptions = model.fields.map { property, field in
                let columns =
                    [(label: "column", name: property.column)]
                    + field.sizeColumns.map { (label: $0.label, name: $0.name) }
                let arguments =
                    ["\\.$\(property.name)", "in: \(dedented(field.storage))"]
                    + columns.map { "\($0.label): \(literal($0.name))" }
                    + field.others.map { "\($0.label): \(dedented($0.value))" }
                let value = ".\(field.kind.factory)(\n\(indented(arguments.joined(separator: ",\n")))\n)"
                return constant(fieldName(property), access: "", type: type, value: value)
            }
            let list = array(model.fields.map { fieldName($0.property) })
            return descriptions + [constant("storedFields", access: access, type: "[\(type)]", value: list)]
        }

        private func fieldName(_ property: ModelProperty) -> String { "\(property.name)Field" }

        // MARK: - The key

        /// `id` for a model whose primary key has another name.
        private var idMapping: String? {
            let identity = model.identity
            guard identity.name != "id", !model.declaresIDMapping else { return nil }
            let type = (identity.unwrappedType ?? identity.type).trimmedDescription
            // A key that cannot be nil keeps its value when it is told to forget it.
            let setter =
                identity.unwrappedType == nil
                ? "if let newValue { self.\(identity.reference) = newValue }"
                : "self.\(identity.reference) = newValue"
            return """
                \(access)var id: \(type)? {
                    get { self.\(identity.reference) }
                    set { \(setter) }
                }
                """
        }

        // MARK: - Rows

        private var decoder: String {
            let lines = model.properties.map { property in
                let value = property.field.map { "\($0.kind.reader)(Self.\(fieldName(property)))" } ?? "next()"
                return "self.\(property.reference) = try row.\(value)"
            }
            return """
                \(access)init(row: inout PostgresModels.RowDecoder) throws {
                \(indented(lines.joined(separator: "\n")))
                }
                """
        }

        private var encoder: String {
            let lines = model.properties.map { property in
                let description = property.field == nil ? "" : ", for: Self.\(fieldName(property))"
                return "try row.encode(self.\(property.reference)\(description))"
            }
            return """
                \(access)func encode(into row: inout PostgresModels.RowEncoder) throws {
                \(indented(lines.joined(separator: "\n")))
                }
                """
        }

        // MARK: - Text

        /// A static member that is made once, or where Swift has none of those, each time.
        private func constant(_ name: String, access: String, type: String, value: String) -> String {
            model.isGeneric
                ? "\(access)static var \(name): \(type) {\n\(indented(value))\n}"
                : "\(access)static let \(name): \(type) = \(value)"
        }

        private func array(_ elements: [String]) -> String {
            "[\n\(indented(elements.map { "\($0)," }.joined(separator: "\n")))\n]"
        }

        private func literal(_ text: String) -> String {
            StringLiteralExprSyntax(content: text).description
        }

        /// The source of an expression without the indentation that its further lines have where it was written.
        private func dedented(_ expression: ExprSyntax) -> String {
            let lines = expression.description.split(separator: "\n", omittingEmptySubsequences: false)
            let indentation = lines.dropFirst().filter { !$0.allSatisfy(\.isWhitespace) }
                .map { $0.prefix { $0 == " " || $0 == "\t" }.count }
                .min()
            guard let indentation, let first = lines.first else { return expression.description }
            return ([first] + lines.dropFirst().map { $0.dropFirst(indentation) }).joined(separator: "\n")
        }

        private func indented(_ text: String) -> String {
            text.split(separator: "\n", omittingEmptySubsequences: false)
                .map { $0.isEmpty ? "" : "    \($0)" }
                .joined(separator: "\n")
        }
    }
#endif
