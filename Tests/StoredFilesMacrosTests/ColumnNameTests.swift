#if Macros
    import Testing

    @testable import StoredFilesMacros

    @Suite struct ColumnNameTests {
        @Test(
            "A property name becomes a column name in snake case",
            arguments: [
                ("id", "id"),
                ("title", "title"),
                ("createdAt", "created_at"),
                ("imageURL", "image_url"),
                ("HTML", "html"),
                ("HTMLPage", "html_page"),
                ("myHTMLPage", "my_html_page"),
                ("URL", "url"),
                ("userIDs", "user_ids"),
                ("imageURLsOfUser", "image_urls_of_user"),
                ("isASwan", "is_a_swan"),
                ("aB", "a_b"),
                ("A", "a"),
                ("iPhone", "i_phone"),
                ("sha256", "sha256"),
                ("utf8Name", "utf8_name"),
                ("HTML5Page", "html5_page"),
                ("x2", "x2"),
                ("already_snake", "already_snake"),
                ("snake_Case", "snake_case"),
                ("_private", "_private"),
                ("_Private", "_private"),
                ("ÜberGröße", "über_größe"),
                ("größeÄndern", "größe_ändern"),
                ("名前", "名前"),
            ]
        )
        func writesSnakeCase(property: String, column: String) {
            #expect(ColumnName.snakeCase(property) == column)
        }

        @Test("A column name that PostgreSQL accepts has no problem")
        func takesWhatPostgreSQLTakes() {
            #expect(ColumnName.problem(with: String(repeating: "a", count: 63)) == nil)
            #expect(ColumnName.problem(with: String(repeating: "é", count: 31)) == nil)
            #expect(ColumnName.problem(with: "With Space; \"quote\"") == nil)
        }

        @Test("A column name that PostgreSQL would not accept is reported with the reason")
        func saysWhyPostgreSQLWouldNotTakeAName() {
            #expect(ColumnName.problem(with: "") == "is empty")
            #expect(ColumnName.problem(with: "a\0b") == "contains NUL")
            let ascii = String(repeating: "a", count: 64)
            #expect(ColumnName.problem(with: ascii) == "has 64 bytes, PostgreSQL takes 63")
            let accented = String(repeating: "é", count: 32)
            #expect(ColumnName.problem(with: accented) == "has 64 bytes, PostgreSQL takes 63")
        }
    }
#endif
