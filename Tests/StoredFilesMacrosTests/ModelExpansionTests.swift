#if Macros
    import Testing

    @Suite struct ModelExpansionTests {
        @Test("@Model writes the members of a conformance to Model")
        func writesWhatAPersonWouldWrite() {
            expectExpansion(
                of: """
                    @Model("articles")
                    struct Article {
                        var id: Int64?
                        var title: String
                        @Column("text") var body: String = ""
                        let createdAt: Date
                        var subtitle: String?
                        var imageURL: Optional<URL> {
                            didSet { changes += 1 }
                        }
                    }
                    """,
                #"""
                struct Article {
                    var id: Int64?
                    var title: String
                    var body: String = ""
                    let createdAt: Date
                    var subtitle: String?
                    var imageURL: Optional<URL> {
                        didSet { changes += 1 }
                    }
                }

                extension Article: PostgresModels.Model {
                    static var table: String {
                        "articles"
                    }

                    static var idColumn: String {
                        "id"
                    }

                    static let columns: [PostgresModels.ModelColumn] = [
                        PostgresModels.ModelColumn("id", \Self.id),
                        PostgresModels.ModelColumn("title", \Self.title),
                        PostgresModels.ModelColumn("text", \Self.body),
                        PostgresModels.ModelColumn("created_at", \Self.createdAt),
                        PostgresModels.ModelColumn("subtitle", \Self.subtitle),
                        PostgresModels.ModelColumn("image_url", \Self.imageURL),
                    ]

                    init(row: inout PostgresModels.RowDecoder) throws {
                        self.id = try row.next()
                        self.title = try row.next()
                        self.body = try row.next()
                        self.createdAt = try row.next()
                        self.subtitle = try row.next()
                        self.imageURL = try row.next()
                    }

                    func encode(into row: inout PostgresModels.RowEncoder) throws {
                        try row.encode(self.id)
                        try row.encode(self.title)
                        try row.encode(self.body)
                        try row.encode(self.createdAt)
                        try row.encode(self.subtitle)
                        try row.encode(self.imageURL)
                    }
                }
                """#
            )
        }

        @Test("@Model describes file and image fields")
        func describesFilesAndImages() {
            expectExpansion(
                of: """
                    @Model("photos")
                    public struct Photo {
                        public var id: Int64?
                        @StoredFile(in: .documents, path: .folder { name in
                            name.hasSuffix(".pdf") ? "pdf" : "other"
                        }, maxBytes: 5 * 1024 * 1024, types: [.pdf, ContentType("text/plain")])
                        public var release: StorageFile? = nil
                        @StoredFiles.StoredImage(in: StorageID("media"), column: "picture", width: "w", height: "h", path: "covers")
                        public var cover: StorageImages.StorageImage? = nil
                        @Column("face") @StoredImage(in: .media) var portrait: Optional<StorageImage> = nil
                    }
                    """,
                #"""
                public struct Photo {
                    public var id: Int64?
                    @StoredFile(in: .documents, path: .folder { name in
                        name.hasSuffix(".pdf") ? "pdf" : "other"
                    }, maxBytes: 5 * 1024 * 1024, types: [.pdf, ContentType("text/plain")])
                    public var release: StorageFile? = nil
                    @StoredFiles.StoredImage(in: StorageID("media"), column: "picture", width: "w", height: "h", path: "covers")
                    public var cover: StorageImages.StorageImage? = nil
                    @StoredImage(in: .media) var portrait: Optional<StorageImage> = nil
                }

                extension Photo: PostgresModels.Model, PostgresModels.FieldModel {
                    public static var table: String {
                        "photos"
                    }

                    public static var idColumn: String {
                        "id"
                    }

                    public static let columns: [PostgresModels.ModelColumn] = [
                        PostgresModels.ModelColumn("id", \Self.id),
                        PostgresModels.ModelColumn("release", type: .text, isOptional: true, keyPath: \Self.release),
                        PostgresModels.ModelColumn("picture", type: .text, isOptional: true, keyPath: \Self.cover),
                        PostgresModels.ModelColumn("w", type: .integer, isOptional: true, keyPath: \Self.cover),
                        PostgresModels.ModelColumn("h", type: .integer, isOptional: true, keyPath: \Self.cover),
                        PostgresModels.ModelColumn("face", type: .text, isOptional: true, keyPath: \Self.portrait),
                    ]

                    static let releaseField: StoredFiles.StoredField<Self> = .file(
                        \.$release,
                        in: .documents,
                        column: "release",
                        path: .folder { name in
                            name.hasSuffix(".pdf") ? "pdf" : "other"
                        },
                        maxBytes: 5 * 1024 * 1024,
                        types: [.pdf, ContentType("text/plain")]
                    )

                    static let coverField: StoredFiles.StoredField<Self> = .image(
                        \.$cover,
                        in: StorageID("media"),
                        column: "picture",
                        width: "w",
                        height: "h",
                        path: "covers"
                    )

                    static let portraitField: StoredFiles.StoredField<Self> = .image(
                        \.$portrait,
                        in: .media,
                        column: "face"
                    )

                    public static let storedFields: [StoredFiles.StoredField<Self>] = [
                        releaseField,
                        coverField,
                        portraitField,
                    ]

                    public init(row: inout PostgresModels.RowDecoder) throws {
                        self.id = try row.next()
                        self.release = try row.storedFile(Self.releaseField)
                        self.cover = try row.storedImage(Self.coverField)
                        self.portrait = try row.storedImage(Self.portraitField)
                    }

                    public func encode(into row: inout PostgresModels.RowEncoder) throws {
                        try row.encode(self.id)
                        try row.encode(self.release, for: Self.releaseField)
                        try row.encode(self.cover, for: Self.coverField)
                        try row.encode(self.portrait, for: Self.portraitField)
                    }
                }
                """#
            )
        }

        @Test("@Model maps id to a key of another name")
        func mapsAKeyOfAnotherName() {
            expectExpansion(
                of: """
                    @Model("countries")
                    struct Country {
                        @ID var code: String
                    }
                    @Model("tokens")
                    package struct Token {
                        @Column("token") @ID var `default`: UUID?
                    }
                    """,
                #"""
                struct Country {
                    var code: String
                }
                package struct Token {
                    var `default`: UUID?
                }

                extension Country: PostgresModels.Model {
                    static var table: String {
                        "countries"
                    }

                    static var idColumn: String {
                        "code"
                    }

                    static let columns: [PostgresModels.ModelColumn] = [
                        PostgresModels.ModelColumn("code", \Self.code),
                    ]

                    var id: String? {
                        get {
                            self.code
                        }
                        set {
                            if let newValue {
                                self.code = newValue
                            }
                        }
                    }

                    init(row: inout PostgresModels.RowDecoder) throws {
                        self.code = try row.next()
                    }

                    func encode(into row: inout PostgresModels.RowEncoder) throws {
                        try row.encode(self.code)
                    }
                }

                extension Token: PostgresModels.Model {
                    package static var table: String {
                        "tokens"
                    }

                    package static var idColumn: String {
                        "token"
                    }

                    package static let columns: [PostgresModels.ModelColumn] = [
                        PostgresModels.ModelColumn("token", \Self.`default`),
                    ]

                    package var id: UUID? {
                        get {
                            self.`default`
                        }
                        set {
                            self.`default` = newValue
                        }
                    }

                    package init(row: inout PostgresModels.RowDecoder) throws {
                        self.`default` = try row.next()
                    }

                    package func encode(into row: inout PostgresModels.RowEncoder) throws {
                        try row.encode(self.`default`)
                    }
                }
                """#
            )
        }

        @Test("@Model keeps an id that the struct maps to its key")
        func leavesAMappingOfTheKeyAlone() {
            expectExpansion(
                of: """
                    @Model("countries")
                    struct Country {
                        @ID var code: String
                        var id: String? {
                            get { code }
                            set { code = newValue ?? "" }
                        }
                    }
                    """,
                #"""
                struct Country {
                    var code: String
                    var id: String? {
                        get { code }
                        set { code = newValue ?? "" }
                    }
                }

                extension Country: PostgresModels.Model {
                    static var table: String {
                        "countries"
                    }

                    static var idColumn: String {
                        "code"
                    }

                    static let columns: [PostgresModels.ModelColumn] = [
                        PostgresModels.ModelColumn("code", \Self.code),
                    ]

                    init(row: inout PostgresModels.RowDecoder) throws {
                        self.code = try row.next()
                    }

                    func encode(into row: inout PostgresModels.RowEncoder) throws {
                        try row.encode(self.code)
                    }
                }
                """#
            )
        }

        @Test("@Model skips static, computed and lazy properties")
        func skipsWhatIsNotStoredInARow() {
            expectExpansion(
                of: """
                    @Model("points")
                    struct Point {
                        static let origin = 0
                        var id: Int?, x, y: Double
                        var length: Double { x + y }
                        var half: Double {
                            get { x / 2 }
                            set { x = newValue * 2 }
                        }
                        lazy var cache = [Int]()
                        func move() {}
                        #if DEBUG
                        var name: String { "point" }
                        static let limit = 1
                        #endif
                    }
                    """,
                #"""
                struct Point {
                    static let origin = 0
                    var id: Int?, x, y: Double
                    var length: Double { x + y }
                    var half: Double {
                        get { x / 2 }
                        set { x = newValue * 2 }
                    }
                    lazy var cache = [Int]()
                    func move() {}
                    #if DEBUG
                    var name: String { "point" }
                    static let limit = 1
                    #endif
                }

                extension Point: PostgresModels.Model {
                    static var table: String {
                        "points"
                    }

                    static var idColumn: String {
                        "id"
                    }

                    static let columns: [PostgresModels.ModelColumn] = [
                        PostgresModels.ModelColumn("id", \Self.id),
                        PostgresModels.ModelColumn("x", \Self.x),
                        PostgresModels.ModelColumn("y", \Self.y),
                    ]

                    init(row: inout PostgresModels.RowDecoder) throws {
                        self.id = try row.next()
                        self.x = try row.next()
                        self.y = try row.next()
                    }

                    func encode(into row: inout PostgresModels.RowEncoder) throws {
                        try row.encode(self.id)
                        try row.encode(self.x)
                        try row.encode(self.y)
                    }
                }
                """#
            )
        }
    }
#endif
