import PostgresModels

extension FileContext: SchemaComponentProvider {
    /// The journal is needed in every database whose models have files.
    var schemaComponents: [SchemaComponent] { [JournalSchema.component] }
}

extension FileContext: DatabaseErrorExplainer {
    /// Says what to do about a file that two rows shall name, and about one that is gone.
    func explain(_ error: DatabaseError) -> DatabaseError {
        var error = error
        if FileConstraint.isViolated(error) {
            error.message += """
                 Another row names this file already, and a file belongs to one row: give the second one its own with \
                copy(_:for:), or store the file again.
                """
        } else if error.code == .objectInUse {
            error.message += " Store the file again, and use its new name."
        }
        return error
    }
}
