public import PostgresModels
public import Storages

extension TableBuilder {
    /// Adds the column of a file field: `text`, with a unique index, because a file belongs to one row.
    ///
    /// - Parameters:
    ///   - column: The column of the name.
    ///   - storage: The storage of the field, as the model declares it.
    ///   - optional: Whether a row may do without a file. Default: it may.
    public func storedFile(_ column: String, in storage: StorageID, optional: Bool = true) {
        self.column(column, .text, optional: optional)
        unique(column)
    }

    /// Adds the columns of an image field: the name with a unique index, the width and the height, a CHECK that keeps
    /// both sizes NULL (unknown), both 0 (known: not an image) or both positive, and a trigger that forgets the size
    /// when the name changes and the size does not.
    ///
    /// The trigger holds for every writer, `psql` included: cached sizes never describe another file.
    ///
    /// - Parameters:
    ///   - column: The column of the name.
    ///   - storage: The storage of the field, as the model declares it.
    ///   - width: The column of the width; give both or none, otherwise the migration fails.
    ///   - height: The column of the height.
    ///   - optional: Whether a row may do without an image. Default: it may.
    public func storedImage(
        _ column: String,
        in storage: StorageID,
        width: String? = nil,
        height: String? = nil,
        optional: Bool = true
    ) {
        storedFile(column, in: storage, optional: optional)
        switch (width, height) {
        case (nil, nil):
            break
        case (let width?, let height?):
            self.column(width, .integer, optional: true)
            self.column(height, .integer, optional: true)
            let sizes = SizeColumns(width: width, height: height)
            for statement in SizeTrigger(table: table, column: column, sizes: sizes).statements {
                after(statement)
            }
        default:
            fail(
                DatabaseError(
                    code: .invalidArgument,
                    message: "The image field \"\(column)\" needs both a width and a height column, or none.",
                    table: table,
                    column: column
                )
            )
        }
    }
}
