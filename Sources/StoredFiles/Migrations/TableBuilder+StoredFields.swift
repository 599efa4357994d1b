public import PostgresModels
public import Storages

extension TableBuilder {
    /// Adds the column of a file field: `text`, with a unique constraint, because a file belongs to one row, and the
    /// triggers that let a file live exactly as long as a row names it.
    ///
    /// The triggers hold for every writer, `psql` and other programs included: a name that leaves its row is condemned
    /// in the same transaction, and the file is deleted later by a ``Reaper``.
    ///
    /// - Parameters:
    ///   - column: The column of the name.
    ///   - storage: The storage of the field, as the model declares it.
    ///   - optional: Whether a row may do without a file. Default: it may.
    public func storedFile(_ column: String, in storage: StorageID, optional: Bool = true) {
        self.column(column, .text, optional: optional)
        unique(column, name: FileConstraint.name(table: table, column: column))
        track(column, in: storage, isImage: false, sizes: nil)
    }

    /// Adds the columns of an image field: the name as for a file, the width and the height, a CHECK that keeps both
    /// sizes NULL (unknown), both 0 (known: not an image) or both positive, and a trigger that forgets the size when
    /// the name changes and the size does not.
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
        self.column(column, .text, optional: optional)
        unique(column, name: FileConstraint.name(table: table, column: column))
        do {
            let sizes = try SizeColumns(width: width, height: height, of: column, table: table)
            if let sizes {
                self.column(sizes.width, .integer, optional: true)
                self.column(sizes.height, .integer, optional: true)
            }
            track(column, in: storage, isImage: true, sizes: sizes)
        } catch {
            fail(error)
        }
    }

    private func track(_ column: String, in storage: StorageID, isImage: Bool, sizes: SizeColumns?) {
        require(JournalSchema.component)
        after(JournalSchema.track(column, of: table, in: storage, isImage: isImage, sizes: sizes))
    }
}
