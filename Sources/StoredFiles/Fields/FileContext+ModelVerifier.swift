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
            if let problem = found.problem {
                problems.append("nothing of the storage \"\(found.storage)\" can be deleted: \(problem)")
            }
            if !found.untriggered.isEmpty {
                problems.append(
                    """
                    triggers of "\(field.column)" are missing or switched off on \
                    \(found.untriggered.joined(separator: ", ")); migrate, or track the column again
                    """
                )
            }
            if !found.untrackedAncestors.isEmpty {
                problems.append(
                    """
                    rows of "\(M.table)" can be written through \(found.untrackedAncestors.joined(separator: ", ")), \
                    where "\(field.column)" is not tracked; track it there
                    """
                )
            }
            if !found.isIndexed {
                problems.append(
                    """
                    "\(field.column)" has no index that begins with it, so each look for a file's row reads the whole \
                    table; create one
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
        /// The tables above it through which rows can be written past the triggers.
        let untrackedAncestors: [String]
        let isIndexed: Bool
        /// What keeps rows from being looked into.
        let problem: String?
    }

    private func trackedColumns(of table: String, in session: any DatabaseSession) async throws -> [String: Tracked] {
        let exists = try await session.query(
            "SELECT to_regclass('\(raw: JournalSchema.name).reservations') IS NOT NULL"
        ).first
        guard try exists?.decode(Bool.self, at: 0) == true else { return [:] }
        let rows = try await session.query(
            """
            SELECT c.column_name::text AS name, f.storage, c.problem, \
            ARRAY(SELECT u::text FROM \(raw: JournalSchema.name).untriggered(f.id) AS u) AS untriggered, \
            ARRAY(SELECT a.relid::text FROM pg_partition_ancestors(c.relation) AS a WHERE a.relid <> c.relation \
            AND NOT EXISTS (SELECT FROM \(raw: JournalSchema.name).carriers() AS k WHERE k.relation = a.relid \
            AND k.column_name = c.column_name)) AS ancestors, \
            EXISTS (SELECT FROM pg_index AS i JOIN pg_attribute AS a ON a.attrelid = i.indrelid \
            AND a.attnum = i.indkey[0] WHERE i.indrelid = c.relation AND i.indisvalid AND i.indpred IS NULL \
            AND a.attname = c.column_name) AS is_indexed \
            FROM \(raw: JournalSchema.name).fields AS f \
            JOIN \(raw: JournalSchema.name).catalogue() AS c ON c.field = f.id AND NOT c.is_partition \
            WHERE f.ended_at IS NULL AND c.relation = to_regclass(\(JournalSchema.regclass(table)))
            """
        )
        var columns: [String: Tracked] = [:]
        for row in rows {
            columns[try row.decode(String.self, named: "name")] = Tracked(
                storage: try row.decode(String.self, named: "storage"),
                untriggered: try row.decode([String].self, named: "untriggered"),
                untrackedAncestors: try row.decode([String].self, named: "ancestors"),
                isIndexed: try row.decode(Bool.self, named: "is_indexed"),
                problem: try row.decode(String?.self, named: "problem")
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
