#if Macros
    import Testing

    /// Tests of the surroundings and the own members of a struct, which change what is written.
    @Suite struct ModelSurroundingsTests {
        @Test("@Model writes computed statics for a generic struct")
        func storesNoStaticsInAGenericStruct() {
            expectExpansion(
                of: """
                    @Model("pages")
                    struct Page<Body: DatabaseValue & Sendable> {
                        var id: Int?
                        var body: Body
                        @StoredFile(in: .media) var file: StorageFile? = nil
                    }
                    """,
                #"""
                struct Page<Body: DatabaseValue & Sendable> {
                    var id: Int?
                    var body: Body
                    @StoredFile(in: .media) var file: StorageFile? = nil
                }

                extension Page: PostgresModels.Model, PostgresModels.FieldModel {
                    static var table: String {
                        "pages"
                    }

                    static var idColumn: String {
                        "id"
                    }

                    static var columns: [PostgresModels.ModelColumn] {
                        [
                            PostgresModels.ModelColumn("id", \Self.id),
                            PostgresModels.ModelColumn("body", \Self.body),
                            PostgresModels.ModelColumn("file", type: .text, isOptional: true, keyPath: \Self.file),
                        ]
                    }

                    static var fileField: StoredFiles.StoredField<Self> {
                        .file(
                            \.$file,
                            in: .media,
                            column: "file"
                        )
                    }

                    static var storedFields: [StoredFiles.StoredField<Self>] {
                        [
                            fileField,
                        ]
                    }

                    init(row: inout PostgresModels.RowDecoder) throws {
                        self.id = try row.next()
                        self.body = try row.next()
                        self.file = try row.storedFile(Self.fileField)
                    }

                    func encode(into row: inout PostgresModels.RowEncoder) throws {
                        try row.encode(self.id)
                        try row.encode(self.body)
                        try row.encode(self.file, for: Self.fileField)
                    }
                }
                """#
            )
        }

        @Test("@Model writes public members for a struct in a public extension")
        func followsTheAccessOfAPublicExtension() {
            expectExpansion(
                of: """
                    public extension Shop {
                        @Model("items")
                        struct Item {
                            var id: Int?
                        }
                    }
                    """,
                #"""
                public extension Shop {
                    struct Item {
                        var id: Int?
                    }
                }

                extension Shop.Item: PostgresModels.Model {
                    public static var table: String {
                        "items"
                    }

                    public static var idColumn: String {
                        "id"
                    }

                    public static let columns: [PostgresModels.ModelColumn] = [
                        PostgresModels.ModelColumn("id", \Self.id),
                    ]

                    public init(row: inout PostgresModels.RowDecoder) throws {
                        self.id = try row.next()
                    }

                    public func encode(into row: inout PostgresModels.RowEncoder) throws {
                        try row.encode(self.id)
                    }
                }
                """#
            )
        }

        @Test("@Model writes computed statics for a struct inside a generic type")
        func storesNoStaticsInsideAGenericType() {
            expectExpansion(
                of: """
                    struct Shop<Currency> {
                        @Model("items")
                        fileprivate struct Item {
                            private var id: Int?
                        }
                    }
                    """,
                #"""
                struct Shop<Currency> {
                    fileprivate struct Item {
                        private var id: Int?
                    }
                }

                extension Shop.Item: PostgresModels.Model {
                    static var table: String {
                        "items"
                    }

                    static var idColumn: String {
                        "id"
                    }

                    static var columns: [PostgresModels.ModelColumn] {
                        [
                            PostgresModels.ModelColumn("id", \Self.id),
                        ]
                    }

                    init(row: inout PostgresModels.RowDecoder) throws {
                        self.id = try row.next()
                    }

                    func encode(into row: inout PostgresModels.RowEncoder) throws {
                        try row.encode(self.id)
                    }
                }
                """#
            )
        }

        @Test("@Model keeps table and column names with quotes and backslashes")
        func namesWithQuotesAndBackslashesStayThatName() {
            expectExpansion(
                of: #"""
                    @Model(#"odd "\ table"#)
                    struct Odd {
                        var id: Int?
                        @Column("a\"b\\c") var x: Int
                    }
                    """#,
                ###"""
                struct Odd {
                    var id: Int?
                    var x: Int
                }

                extension Odd: PostgresModels.Model {
                    static var table: String {
                        #"odd "\ table"#
                    }

                    static var idColumn: String {
                        "id"
                    }

                    static let columns: [PostgresModels.ModelColumn] = [
                        PostgresModels.ModelColumn("id", \Self.id),
                        PostgresModels.ModelColumn(#"a"b\c"#, \Self.x),
                    ]

                    init(row: inout PostgresModels.RowDecoder) throws {
                        self.id = try row.next()
                        self.x = try row.next()
                    }

                    func encode(into row: inout PostgresModels.RowEncoder) throws {
                        try row.encode(self.id)
                        try row.encode(self.x)
                    }
                }
                """###
            )
        }

        @Test("@Model warns about a memberwise initializer that takes the property wrapper")
        func warnsOfAMemberwiseInitializerThatTakesTheWrapper() {
            let source = """
                @Model("photos")
                struct Photo {
                    var id: Int?
                    @StoredImage(in: .media) var cover: StorageImage? // the front
                }
                """
            expectExpansion(
                of: source,
                photo(cover: "var cover: StorageImage? // the front"),
                messages: [
                    ExpectedMessage(
                        4,
                        34,
                        "without '= nil' the memberwise initializer takes 'cover' as a StoredImage, not as a StorageImage",
                        isWarning: true,
                        fixIt: "write '= nil'"
                    )
                ],
                fixed: source.replacing("StorageImage? //", with: "StorageImage? = nil //")
            )
        }

        @Test("@Model does not warn about a memberwise initializer that does not exist")
        func saysNothingOfAMemberwiseInitializerThatIsNotThere() {
            expectExpansion(
                of: """
                    @Model("photos")
                    struct Photo {
                        var id: Int?
                        @StoredImage(in: .media) var cover: StorageImage?
                        init() {}
                    }
                    """,
                photo(cover: "var cover: StorageImage?\n    init() {}")
            )
        }

        /// The expansion of a model with one image.
        private func photo(cover: String) -> String {
            #"""
            struct Photo {
                var id: Int?
                @StoredImage(in: .media) \#(cover)
            }

            extension Photo: PostgresModels.Model, PostgresModels.FieldModel {
                static var table: String {
                    "photos"
                }

                static var idColumn: String {
                    "id"
                }

                static let columns: [PostgresModels.ModelColumn] = [
                    PostgresModels.ModelColumn("id", \Self.id),
                    PostgresModels.ModelColumn("cover", type: .text, isOptional: true, keyPath: \Self.cover),
                ]

                static let coverField: StoredFiles.StoredField<Self> = .image(
                    \.$cover,
                    in: .media,
                    column: "cover"
                )

                static let storedFields: [StoredFiles.StoredField<Self>] = [
                    coverField,
                ]

                init(row: inout PostgresModels.RowDecoder) throws {
                    self.id = try row.next()
                    self.cover = try row.storedImage(Self.coverField)
                }

                func encode(into row: inout PostgresModels.RowEncoder) throws {
                    try row.encode(self.id)
                    try row.encode(self.cover, for: Self.coverField)
                }
            }
            """#
        }
    }
#endif
