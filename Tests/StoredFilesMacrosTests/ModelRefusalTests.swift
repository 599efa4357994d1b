#if Macros
    import Testing

    @Suite struct ModelRefusalTests {
        @Test(
            "@Model refuses types other than structs, private structs and properties under #if",
            arguments: [
                RefusedSource(
                    "class",
                    "@Model(\"photos\")\nfinal class Photo {\n    var id: Int?\n}",
                    ExpectedMessage(2, 7, "@Model needs a struct; 'Photo' is a class")
                ),
                RefusedSource(
                    "enum",
                    "@Model(\"photos\")\nenum Photo {\n    case one\n}",
                    ExpectedMessage(2, 1, "@Model needs a struct; 'Photo' is an enum")
                ),
                RefusedSource(
                    "actor",
                    "@Model(\"photos\")\nactor Photo {\n    var id: Int?\n}",
                    ExpectedMessage(2, 1, "@Model needs a struct; 'Photo' is an actor")
                ),
                RefusedSource(
                    "private struct inside a type",
                    "enum Shop {\n    @Model(\"photos\")\n    private struct Photo {\n        var id: Int?\n    }\n}",
                    ExpectedMessage(
                        3,
                        5,
                        "the extension that @Model writes stands outside and cannot name the private 'Photo'",
                        fixIt: "make it 'fileprivate'"
                    ),
                    fixed:
                        "enum Shop {\n    @Model(\"photos\")\n    fileprivate struct Photo {\n"
                        + "        var id: Int?\n    }\n}"
                ),
                RefusedSource(
                    "stored property under #if",
                    """
                    @Model("photos")
                    struct Photo {
                        var id: Int?
                        #if DEBUG
                        #if os(Linux)
                        var note: String?
                        #endif
                        var shown: Bool { true }
                        #endif
                    }
                    """,
                    ExpectedMessage(
                        6,
                        9,
                        "@Model cannot tell whether a stored property under #if exists; "
                            + "a table has its columns in every build"
                    )
                ),
            ]
        )
        func refusesWhatIsNoPlainStruct(_ source: RefusedSource) {
            source.verify()
        }

        @Test(
            "@Model refuses an invalid table name",
            arguments: [
                (#"@Model(name)"#, 8, unreadable),
                (#"@Model("a\(b)")"#, 8, unreadable),
                (#"@Model"#, 1, unreadable),
                (#"@Model()"#, 1, unreadable),
                (#"@Model("")"#, 8, "the name of the table is empty"),
                (#"@Model("a\0b")"#, 8, "the name of the table contains NUL"),
                (
                    "@Model(\"\(String(repeating: "t", count: 64))\")",
                    8,
                    "the name of the table has 64 bytes, PostgreSQL takes 63"
                ),
            ]
        )
        func refusesATable(attribute: String, column: Int, message: String) {
            expectExpansion(
                of: "\(attribute)\nstruct Photo {\n    var id: Int?\n}",
                "struct Photo {\n    var id: Int?\n}",
                messages: [ExpectedMessage(1, column, message)]
            )
        }

        private static let unreadable =
            "@Model needs the name of the table as a string literal without interpolation: @Model(\"photos\")"

        @Test(
            "@Model refuses a missing or invalid primary key",
            arguments: [
                RefusedSource(
                    "none",
                    "@Model(\"photos\")\nstruct Photo {\n    // the name\n    var title: String\n}",
                    ExpectedMessage(
                        2,
                        8,
                        "'Photo' has no primary key: add 'var id: Int64?' or mark a property with @ID",
                        fixIt: "add 'var id: Int64?'"
                    ),
                    fixed:
                        "@Model(\"photos\")\nstruct Photo {\n    var id: Int64?\n"
                        + "    // the name\n    var title: String\n}"
                ),
                RefusedSource(
                    "computed only",
                    "@Model(\"photos\")\nstruct Photo {\n    var id: Int? { nil }\n    var a: Int\n}",
                    ExpectedMessage(
                        2,
                        8,
                        "'Photo' has no primary key: add 'var id: Int64?' or mark a property with @ID",
                        fixIt: "add 'var id: Int64?'"
                    )
                ),
                RefusedSource(
                    "empty struct",
                    "@Model(\"photos\")\nstruct Photo {\n}",
                    ExpectedMessage(
                        2,
                        8,
                        "'Photo' has no primary key: add 'var id: Int64?' or mark a property with @ID",
                        fixIt: "add 'var id: Int64?'"
                    ),
                    fixed: "@Model(\"photos\")\nstruct Photo {\n    var id: Int64?\n}"
                ),
                RefusedSource(
                    "constant",
                    "@Model(\"photos\")\nstruct Photo {\n    let id: Int?\n}",
                    ExpectedMessage(
                        3,
                        5,
                        "the primary key 'id' must be a 'var': inserting the row sets it",
                        fixIt: "make it a 'var'"
                    ),
                    fixed: "@Model(\"photos\")\nstruct Photo {\n    var id: Int?\n}"
                ),
                RefusedSource(
                    "not optional",
                    "@Model(\"photos\")\nstruct Photo {\n    var id: UUID\n}",
                    ExpectedMessage(
                        3,
                        13,
                        "'id' must be optional: it is nil until the database has made the key",
                        fixIt: "write 'UUID?'"
                    ),
                    fixed: "@Model(\"photos\")\nstruct Photo {\n    var id: UUID?\n}"
                ),
                RefusedSource(
                    "without a type",
                    "@Model(\"photos\")\nstruct Photo {\n    var id = 0\n}",
                    ExpectedMessage(
                        3,
                        9,
                        "@Model reads the source, not inferred types: write the type of 'id'",
                        fixIt: "write ': Int'"
                    ),
                    fixed: "@Model(\"photos\")\nstruct Photo {\n    var id: Int = 0\n}"
                ),
                RefusedSource(
                    "two",
                    "@Model(\"photos\")\nstruct Photo {\n    @ID var a: Int\n    @ID var b: Int\n}",
                    ExpectedMessage(
                        4,
                        5,
                        "@Model takes one @ID; a key of several columns needs a conformance to Model written by hand",
                        note: .init(3, 5, "the other @ID is here")
                    )
                ),
                RefusedSource(
                    "constant under another name",
                    "@Model(\"photos\")\nstruct Photo {\n    @ID let slug: String\n}",
                    ExpectedMessage(
                        3,
                        9,
                        "the primary key 'slug' must be a 'var': inserting the row sets it",
                        fixIt: "make it a 'var'"
                    ),
                    fixed: "@Model(\"photos\")\nstruct Photo {\n    @ID var slug: String\n}"
                ),
                .photo(
                    "another property is called id",
                    "@ID var slug: String",
                    ExpectedMessage(
                        3,
                        9,
                        "'id' stands for the primary key, which @ID says is 'slug'; "
                            + "name this property otherwise and keep its column with @Column(\"id\")"
                    )
                ),
                .photo(
                    "file",
                    "@ID @StoredFile(in: .media) var file: StorageFile? = nil",
                    ExpectedMessage(4, 5, "a file cannot be the primary key")
                ),
                RefusedSource(
                    "file called id",
                    "@Model(\"photos\")\nstruct Photo {\n    @StoredFile(in: .media) var id: StorageFile? = nil\n}",
                    ExpectedMessage(3, 33, "a file cannot be the primary key")
                ),
            ]
        )
        func refusesAPrimaryKey(_ source: RefusedSource) {
            source.verify()
        }
    }
#endif
