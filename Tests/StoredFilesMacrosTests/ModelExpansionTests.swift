#if Macros
    import Testing

    @Suite struct ModelExpansionTests {
        @Test func probe() {
            expectExpansion(
                of: """
                    @Model("photos")
                    struct Photo {
                        var id: Int64?
                        var title: String
                        @Column("n") let note: String?
                        @StoredFile(in: .media, path: .folder { name in
                            name + "x"
                        }, maxBytes: 5 * 1024 * 1024) var release: StorageFile? = nil
                        @StoredImage(in: .media, width: "cover_width", height: "cover_height", path: "covers") var cover: StorageImage? = nil
                    }
                    @Model("plain") struct Plain { @ID var slug: String; var `default`: Int }
                    """,
                ""
            )
        }
    }
#endif
