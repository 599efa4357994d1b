public import PostgresModels
public import Storages

extension SchemaBuilder {
    /// Makes a column that exists the file field of a storage: from now on files live as long as its rows name them.
    ///
    /// Rows and files that are there stay as they are; nothing is condemned. Use it for tables that were made without
    /// ``PostgresModels/TableBuilder/storedFile(_:in:optional:)``. Partitions of a table come along, later ones too;
    /// each migration gives those that came meanwhile what TRUNCATE needs. A single partition is refused.
    ///
    /// - Parameters:
    ///   - column: The column of the name, of a type of text.
    ///   - table: The table.
    ///   - storage: The storage of the field, as the model declares it.
    /// - Throws: ``PostgresModels/DatabaseError`` with code `.invalidIdentifier` for a name that PostgreSQL would not
    ///   keep.
    public func track(_ column: String, of table: String, in storage: StorageID) async throws {
        require(JournalSchema.component)
        try await execute(JournalSchema.track(column, of: table, in: storage, isImage: false, sizes: nil))
    }

    /// Makes a column that exists the image field of a storage, as ``track(_:of:in:)``; besides, the size columns get
    /// their CHECK and the trigger that forgets a size when the name changes.
    ///
    /// - Parameters:
    ///   - column: The column of the name, of a type of text.
    ///   - table: The table.
    ///   - storage: The storage of the field, as the model declares it.
    ///   - width: The column of the width, which exists; give both or none.
    ///   - height: The column of the height.
    /// - Throws: ``PostgresModels/DatabaseError`` with code `.invalidArgument` when only one of the two is given,
    ///   `.invalidIdentifier`.
    public func trackImage(
        _ column: String,
        of table: String,
        in storage: StorageID,
        width: String? = nil,
        height: String? = nil
    ) async throws {
        let sizes = try SizeColumns(width: width, height: height, of: column, table: table)
        require(JournalSchema.component)
        try await execute(JournalSchema.track(column, of: table, in: storage, isImage: true, sizes: sizes))
    }

    /// Takes the triggers off a column again: its files become the application's own business.
    ///
    /// Nothing is condemned. A column or table that is dropped with ``PostgresModels/SchemaBuilder`` needs no such
    /// call: there the files are condemned, because no row names them any more.
    ///
    /// To change the type of the column, untrack it, change it, and track it again in one migration: PostgreSQL changes
    /// no column that a trigger's condition looks at.
    ///
    /// - Parameters:
    ///   - column: The column of the name.
    ///   - table: The table.
    /// - Throws: ``PostgresModels/DatabaseError`` with code `.invalidIdentifier`.
    public func untrack(_ column: String, of table: String) async throws {
        require(JournalSchema.component)
        try await execute(
            "SELECT \(raw: JournalSchema.name).untrack(\(JournalSchema.regclass(table))::regclass, \(column), false)"
        )
    }
}

extension SchemaBuilder {
    /// Gives a storage another id: in its fields, and in all that is on its way to be claimed or deleted.
    ///
    /// Change the id in the models and in the registry in the same release. Programs of the release before cannot store
    /// files any more from then on; they say so.
    ///
    /// - Parameters:
    ///   - old: The id it has.
    ///   - new: The id it gets, which no field has yet.
    public func renameStorage(_ old: StorageID, to new: StorageID) async throws {
        require(JournalSchema.component)
        try await execute("SELECT \(raw: JournalSchema.name).rename_storage(\(old.rawValue), \(new.rawValue))")
    }
}

extension JournalSchema {
    static func track(
        _ column: String,
        of table: String,
        in storage: StorageID,
        isImage: Bool,
        sizes: SizeColumns?
    ) -> SQL {
        """
        SELECT \(raw: JournalSchema.name).track(\(regclass(table))::regclass, \(column), \(storage.rawValue), \
        \(isImage), \(sizes?.width), \(sizes?.height))
        """
    }
}

extension SizeColumns {
    /// Creates the pair of columns; `nil` when neither is given, and an error when only one is.
    init?(width: String?, height: String?, of column: String, table: String) throws {
        switch (width, height) {
        case (nil, nil): return nil
        case (let width?, let height?): self.init(width: width, height: height)
        default:
            throw DatabaseError(
                code: .invalidArgument,
                message: "The image field \"\(column)\" needs both a width and a height column, or none.",
                table: table,
                column: column
            )
        }
    }
}
