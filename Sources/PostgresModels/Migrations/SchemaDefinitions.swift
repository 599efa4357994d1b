/// The definitions that a ``SchemaComponent`` can write anew at any time: functions and views, all of them, under a
/// version.
///
/// A program installs its own when the database has those of a lower version, and leaves higher ones alone: during a
/// deployment the newer program's serve both.
package struct SchemaDefinitions: Sendable {
    /// The version: raise it with every change of a statement.
    package let version: Int

    /// The statements, `CREATE OR REPLACE` each, and what applies them to what is there.
    package let statements: [SQL]

    /// Describes definitions.
    ///
    /// - Parameters:
    ///   - version: The version, at least 1.
    ///   - statements: The statements, in order; they run in one transaction.
    package init(version: Int, statements: [SQL]) {
        self.version = version
        self.statements = statements
    }
}
