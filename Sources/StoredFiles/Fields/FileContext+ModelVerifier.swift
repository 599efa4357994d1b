import PostgresModels
import Storages

extension FileContext: ModelVerifier {
    /// Names the storages that the fields of a model need and the database was not opened with, and the columns whose
    /// triggers are missing, switched off, or of another storage.
    func problems<M: Model>(of model: M.Type, in session: any DatabaseSession) async throws -> [String] {
        guard let model = model as? any FieldModel.Type else { return [] }
        var problems: [String] = []
        let tracked = try await trackedColumns(of: M.table, in: session)
        for field in locations(in: model) {
            if storages[field.storage] == nil {
                let known = storages.ids.map { "\"\($0)\"" }.joined(separator: ", ")
                problems.append(
                    """
                    "\(field.column)" belongs to the storage "\(field.storage)", which is not registered \
                    (registered: \(known))
                    """
                )
            }
            guard let found = tracked[field.column] else {
                problems.append(
                    """
                    "\(field.column)" has no triggers, so its files would outlive their rows; \
                    add schema.track("\(field.column)", of: "\(M.table)", in: …) to a migration
                    """
                )
                continue
            }
            if found.storage != field.storage.rawValue {
                problems.append(
                    """
                    the triggers of "\(field.column)" are those of the storage "\(found.storage)", \
                    the model says "\(field.storage)"
                    """
                )
            }
            if !found.untriggered.isEmpty {
                problems.append(
                    """
                    triggers of "\(field.column)" are missing or switched off on \
                    \(found.untriggered.joined(separator: ", ")); track the column again
                    """
                )
            }
        }
        return problems
    }

    private struct Tracked {
        let storage: String
        /// The tables among the table itself and its partitions that lack a trigger.
        let untriggered: [String]
    }

    private func trackedColumns(of table: String, in session: any DatabaseSession) async throws -> [String: Tracked] {
        let exists = try await session.query("SELECT to_regclass('stored_files.fields') IS NOT NULL").first
        guard try exists?.decode(Bool.self, at: 0) == true else { return [:] }
        let rows = try await session.query(
            """
            SELECT f.column_name::text AS name, f.storage, ARRAY(
                SELECT r::text FROM stored_files.relations(f.relation) AS r
                WHERE 4 > (
                    SELECT count(*) FROM pg_trigger AS t
                    WHERE t.tgrelid = r AND t.tgenabled IN ('O', 'A') AND t.tgname IN (
                        'stored_file_' || f.id || '_insert', 'stored_file_' || f.id || '_update',
                        'stored_file_' || f.id || '_delete', 'stored_file_' || f.id || '_truncate')
                )
            ) AS untriggered
            FROM stored_files.fields AS f WHERE f.relation = to_regclass(\(JournalSchema.regclass(table)))
            """
        )
        var columns: [String: Tracked] = [:]
        for row in rows {
            columns[try row.decode(String.self, named: "name")] = Tracked(
                storage: try row.decode(String.self, named: "storage"),
                untriggered: try row.decode([String].self, named: "untriggered")
            )
        }
        return columns
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
