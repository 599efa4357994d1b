import PostgresModels
import Storages

extension FileContext: ModelVerifier {
    /// Names the storages that the fields of a model need and the database was not opened with.
    func problems<M: Model>(of model: M.Type) -> [String] {
        guard let model = model as? any FieldModel.Type else { return [] }
        return locations(in: model).compactMap { field in
            guard storages[field.storage] == nil else { return nil }
            let known = storages.ids.map { "\"\($0)\"" }.joined(separator: ", ")
            return """
                "\(field.column)" belongs to the storage "\(field.storage)", which is not registered \
                (registered: \(known))
                """
        }
    }

    private func locations<M: FieldModel>(in model: M.Type) -> [any FieldLocation] {
        model.storedFields.compactMap { $0 as? any FieldLocation }
    }
}

/// What is known of a field whatever its model.
protocol FieldLocation {
    var column: String { get }
    var storage: StorageID { get }
}

extension StoredField: FieldLocation {}
