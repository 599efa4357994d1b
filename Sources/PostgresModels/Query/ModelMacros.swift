#if Macros
    /// Makes a struct the model of a table: writes the ``Model`` conformance that a person would write by hand.
    ///
    /// ```swift
    /// @Model("articles")
    /// struct Article {
    ///     var id: Int64?
    ///     var title: String
    ///     @Column("text") var body: String
    ///     var createdAt: Date                     // created_at
    /// }
    /// ```
    /// What is written can be read in the editor (*Expand Macro*): the table's name, the columns in the order of the
    /// properties, an initializer that reads a row by position, and a function that writes one. In detail:
    ///
    /// - Every stored property is a column. Its name is the property's in snake case (`createdAt` is `created_at`,
    ///   `imageURL` is `image_url`), or what ``Column(_:)`` says. Static, lazy and computed properties are none.
    /// - Types are written out, because a macro sees the source and not what the compiler infers from it:
    ///   `var rank: Int = 0`. A property of an optional type is a column that may be NULL.
    /// - A `let` is fine as long as it has no value of its own. A property of one struct is one column in all builds,
    ///   so none may stand under `#if`.
    /// - The primary key is `id`, a `var` of an optional type, or the property with ``ID()``.
    /// - A property with `@StoredFile` or `@StoredImage` is a file or an image. Its arguments are copied into a static
    ///   description, `<property>Field`, and all of them into ``FieldModel/storedFields``; they are therefore literals,
    ///   static members, or for `path:` a closure.
    /// - A `public` struct gets `public` members. A `private` struct inside another type is out of reach: make it
    ///   `fileprivate`.
    ///
    /// Everything that is not so is a diagnostic at the place, with a fix-it where there is one way to mend it.
    ///
    /// - Parameter table: The name of the table: a string literal of 1…63 bytes of UTF-8 without NUL, which is what
    ///   PostgreSQL takes. It is quoted in every statement, so it has the case that is written here.
    @attached(extension, conformances: Model, FieldModel, names: arbitrary)
    public macro Model(_ table: String) = #externalMacro(module: "StoredFilesMacros", type: "ModelMacro")

    /// Marks the property that is the primary key, when it is not called `id`.
    ///
    /// ```swift
    /// @Model("countries")
    /// struct Country {
    ///     @ID var code: String
    ///     var name: String
    /// }
    /// ```
    /// ``Model(_:)`` then writes an `id` that reads and sets that property. A property of an optional type may be left
    /// `nil` for the database to make the key. A key of several columns needs a conformance written by hand.
    @attached(peer)
    public macro ID() = #externalMacro(module: "StoredFilesMacros", type: "IDMacro")

    /// Names the column of a property, where it is not the property's name in snake case.
    ///
    /// ```swift
    /// @Column("text") var body: String
    /// ```
    /// - Parameter name: The column: a string literal of 1…63 bytes of UTF-8 without NUL.
    @attached(peer)
    public macro Column(_ name: String) = #externalMacro(module: "StoredFilesMacros", type: "ColumnMacro")
#endif
