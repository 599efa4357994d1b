#if Macros
    import Testing

    @Suite struct PropertyRefusalTests {
        @Test(
            "@Model refuses a property without a written type",
            arguments: [
                ("var a = \"x\"", "String", "var a: String = \"x\""),
                ("var a = 1", "Int", "var a: Int = 1"),
                ("var a = -1", "Int", "var a: Int = -1"),
                ("var a = 1.5", "Double", "var a: Double = 1.5"),
                ("var a = true", "Bool", "var a: Bool = true"),
                ("var a = Date()", "Date", "var a: Date = Date()"),
                ("let a = UUID()", "UUID", "let a: UUID = UUID()"),
                ("var a = Date.now", "<#Type#>", "var a: <#Type#> = Date.now"),
                ("var a = [1]", "<#Type#>", "var a: <#Type#> = [1]"),
                (
                    "@StoredImage(in: .media) var a = nil", "StorageImage?",
                    "@StoredImage(in: .media) var a: StorageImage? = nil"
                ),
            ]
        )
        func refusesInferredTypes(declaration: String, type: String, fixed: String) throws {
            let name = try #require(declaration.firstRange(of: "a ="))
            let column = 5 + declaration.distance(from: declaration.startIndex, to: name.lowerBound)
            let message = ExpectedMessage(
                4,
                column,
                "@Model reads the source, not inferred types: write the type of 'a'",
                fixIt: "write ': \(type)'"
            )
            RefusedSource.photo(declaration, declaration, message, fixed: fixed).verify()
        }

        @Test(
            "@Model refuses invalid properties and misplaced markers",
            arguments: [
                RefusedSource.photo(
                    "several names in one pattern",
                    "var (a, b): (Int, Int)",
                    ExpectedMessage(4, 9, "@Model needs one name per property; '(a, b)' declares several at once")
                ),
                .photo(
                    "constant with a value",
                    "let version: Int = 1",
                    ExpectedMessage(
                        4,
                        5,
                        "'version' is a 'let' with a value, so no row could ever set it; make it a 'var', or 'static'",
                        fixIt: "make it a 'var'"
                    ),
                    fixed: "var version: Int = 1"
                ),
                .photo(
                    "markers on a computed property",
                    "@ID @Column(\"x\") var a: Int { 1 }",
                    ExpectedMessage(4, 5, "@ID belongs on a stored property of a struct with @Model"),
                    ExpectedMessage(4, 9, "@Column belongs on a stored property of a struct with @Model")
                ),
                .photo(
                    "marker on a static property",
                    "@Column(\"x\") static var a: Int = 1",
                    ExpectedMessage(4, 5, "@Column belongs on a stored property of a struct with @Model")
                ),
                .photo(
                    "marker on a lazy property",
                    "@Column(\"x\") lazy var a: Int = 1",
                    ExpectedMessage(4, 5, "@Column belongs on a stored property of a struct with @Model")
                ),
                RefusedSource(
                    "markers outside of a model",
                    "struct Photo {\n    @ID var id: Int?\n    @Column(\"x\") var a: Int\n}",
                    ExpectedMessage(2, 5, "@ID belongs on a stored property of a struct with @Model"),
                    ExpectedMessage(3, 5, "@Column belongs on a stored property of a struct with @Model")
                ),
                RefusedSource(
                    "marker on a global variable",
                    "@Column(\"x\") var a: Int",
                    ExpectedMessage(1, 1, "@Column belongs on a stored property of a struct with @Model")
                ),
            ]
        )
        func refusesProperties(_ source: RefusedSource) {
            source.verify()
        }

        @Test(
            "@Model refuses an invalid, repeated or taken column name",
            arguments: [
                RefusedSource.photo(
                    "no literal",
                    "@Column(name) var a: Int",
                    ExpectedMessage(
                        4,
                        13,
                        "@Column needs the name of a column as a string literal without interpolation"
                    )
                ),
                .photo(
                    "interpolation",
                    "@Column(\"a\\(1)\") var a: Int",
                    ExpectedMessage(
                        4,
                        13,
                        "@Column needs the name of a column as a string literal without interpolation"
                    )
                ),
                .photo(
                    "twice",
                    "@Column(\"x\") @Column(\"y\") var a: Int",
                    ExpectedMessage(4, 18, "@Column is there twice", note: .init(4, 5, "the first one is here"))
                ),
                .photo(
                    "empty",
                    "@Column(\"\") var a: Int",
                    ExpectedMessage(4, 13, "the name of the column is empty")
                ),
                .photo(
                    "NUL",
                    "@Column(\"a\\u{0}\") var a: Int",
                    ExpectedMessage(4, 13, "the name of the column contains NUL")
                ),
                .photo(
                    "too long",
                    "@Column(\"\(String(repeating: "ä", count: 32))\") var a: Int",
                    ExpectedMessage(4, 13, "the name of the column has 64 bytes, PostgreSQL takes 63")
                ),
                .photo(
                    "too long as a property's name",
                    "var \(String(repeating: "a", count: 64)): Int",
                    ExpectedMessage(
                        4,
                        9,
                        "the column '\(String(repeating: "a", count: 64))' of this property has 64 bytes, "
                            + "PostgreSQL takes 63; give it a name with @Column(\"…\")"
                    )
                ),
                .photo(
                    "taken by a property's name",
                    "var imageURL: String\nvar image_url: String",
                    ExpectedMessage(
                        5,
                        9,
                        "the column 'image_url' is taken by another property",
                        note: .init(4, 9, "'image_url' is first used here")
                    )
                ),
                .photo(
                    "taken by the key",
                    "@Column(\"id\") var a: Int",
                    ExpectedMessage(
                        4,
                        13,
                        "the column 'id' is taken by another property",
                        note: .init(3, 9, "'id' is first used here")
                    )
                ),
                .photo(
                    "taken by the size of an image",
                    "@StoredImage(in: .media, width: \"w\", height: \"h\") var a: StorageImage? = nil\nvar h: Int",
                    ExpectedMessage(
                        5,
                        9,
                        "the column 'h' is taken by another property",
                        note: .init(4, 50, "'h' is first used here")
                    )
                ),
            ]
        )
        func refusesColumns(_ source: RefusedSource) {
            source.verify()
        }
    }
#endif
