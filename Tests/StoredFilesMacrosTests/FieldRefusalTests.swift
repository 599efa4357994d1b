#if Macros
    import Testing

    @Suite struct FieldRefusalTests {
        @Test(
            "An invalid declaration of a file or image field is refused",
            arguments: [
                RefusedSource.photo(
                    "constant",
                    "@StoredFile(in: .media) let file: StorageFile?",
                    ExpectedMessage(
                        4,
                        29,
                        "'file' must be a 'var': @StoredFile is a property wrapper",
                        fixIt: "make it a 'var'"
                    ),
                    fixed: "@StoredFile(in: .media) var file: StorageFile?"
                ),
                .photo(
                    "not optional",
                    "@StoredFile(in: .media) var file: StorageFile",
                    ExpectedMessage(
                        4,
                        39,
                        "@StoredFile needs 'file' to be of type 'StorageFile?', not 'StorageFile'",
                        fixIt: "write 'StorageFile?'"
                    ),
                    fixed: "@StoredFile(in: .media) var file: StorageFile?"
                ),
                .photo(
                    "the other wrapper's type",
                    "@StoredImage(in: .media) var file: StorageFile? = nil",
                    ExpectedMessage(
                        4,
                        40,
                        "@StoredImage needs 'file' to be of type 'StorageImage?', not 'StorageFile?'",
                        fixIt: "write 'StorageImage?'"
                    ),
                    fixed: "@StoredImage(in: .media) var file: StorageImage? = nil"
                ),
                .photo(
                    "name instead of file",
                    "@StoredFile(in: .media) var file: [String: Optional<StorageFile>]",
                    ExpectedMessage(
                        4,
                        39,
                        "@StoredFile needs 'file' to be of type 'StorageFile?', not '[String: Optional<StorageFile>]'",
                        fixIt: "write 'StorageFile?'"
                    )
                ),
                .photo(
                    "both wrappers",
                    "@StoredImage(in: .media) @StoredFile(in: .media) var file: StorageFile? = nil",
                    ExpectedMessage(4, 5, "a property is a file or an image, not both")
                ),
                .photo(
                    "static",
                    "@StoredFile(in: .media) static var file: StorageFile? = nil",
                    ExpectedMessage(4, 5, "@StoredFile belongs on a stored property of a struct with @Model")
                ),
                .photo(
                    "no arguments",
                    "@StoredFile var file: StorageFile? = nil",
                    ExpectedMessage(4, 5, "@StoredFile needs a storage: @StoredFile(in: .media)")
                ),
                .photo(
                    "no storage",
                    "@StoredImage(path: \"covers\") var file: StorageImage? = nil",
                    ExpectedMessage(4, 5, "@StoredImage needs a storage: @StoredImage(in: .media)")
                ),
            ]
        )
        func refusesDeclarations(_ source: RefusedSource) {
            source.verify()
        }

        @Test(
            "An invalid column of a file or image field is refused",
            arguments: [
                RefusedSource.photo(
                    "column that is no literal",
                    "@StoredFile(in: .media, column: name) var file: StorageFile? = nil",
                    ExpectedMessage(
                        4,
                        37,
                        "'column:' needs the name of a column as a string literal without interpolation"
                    )
                ),
                .photo(
                    "column named twice",
                    "@Column(\"a\") @StoredFile(in: .media, column: \"b\") var file: StorageFile? = nil",
                    ExpectedMessage(4, 13, "the column is named twice", note: .init(4, 50, "'column:' names it here"))
                ),
                .photo(
                    "empty column",
                    "@StoredFile(in: .media, column: \"\") var file: StorageFile? = nil",
                    ExpectedMessage(4, 37, "the name of the column is empty")
                ),
                .photo(
                    "width that is no literal",
                    "@StoredImage(in: .media, width: w, height: \"h\") var file: StorageImage? = nil",
                    ExpectedMessage(
                        4,
                        37,
                        "'width:' needs the name of a column as a string literal without interpolation"
                    )
                ),
                .photo(
                    "width without height",
                    "@StoredImage(in: .media, width: \"w\") var file: StorageImage? = nil",
                    ExpectedMessage(
                        4,
                        37,
                        "'width:' without 'height:'; an image keeps both sizes in columns, or none"
                    )
                ),
                .photo(
                    "height without width",
                    "@StoredImage(in: .media, width: nil, height: \"h\") var file: StorageImage? = nil",
                    ExpectedMessage(
                        4,
                        50,
                        "'height:' without 'width:'; an image keeps both sizes in columns, or none"
                    )
                ),
                .photo(
                    "width and height in one column",
                    "@StoredImage(in: .media, width: \"w\", height: \"w\") var file: StorageImage? = nil",
                    ExpectedMessage(
                        4,
                        50,
                        "the column 'w' is taken by another property",
                        note: .init(4, 37, "'w' is first used here")
                    )
                ),
            ]
        )
        func refusesColumns(_ source: RefusedSource) {
            source.verify()
        }

        @Test("A variable as the storage of a field is refused, and a static member is offered")
        func offersTheStaticMemberOfThatName() {
            RefusedSource.photo(
                "variable",
                "@StoredFile(in: media) var file: StorageFile? = nil",
                ExpectedMessage(
                    4,
                    21,
                    notStatic("in", "media"),
                    fixIt: "write '.media', a static member of StorageID"
                ),
                fixed: "@StoredFile(in: .media) var file: StorageFile? = nil"
            ).verify()
        }

        @Test(
            "A field argument that cannot be copied into a static description is refused",
            arguments: [
                ("in", "settings.storage", "settings"),
                ("in", "makeStorage()", "makeStorage"),
                ("path", "\"covers/\\(year)\"", "\"covers/\\(year)\""),
                ("path", "folder + \"/x\"", "folder"),
                ("maxBytes", "limit", "limit"),
                ("maxBytes", "5 * megabyte", "megabyte"),
                ("maxBytes", "flag ? 1 : 2", "flag"),
                ("types", "[.pdf, other]", "other"),
                ("types", ".all { 1 }", "{ 1 }"),
                ("rules", "ImageRules(maxPixels: limit)", "limit"),
                ("rules", "ImageRules(min!)", "min!"),
                ("rules", "try ImageRules()", "try ImageRules()"),
                ("rules", "self.rules", "self"),
            ]
        )
        func refusesArgumentsThatCannotBeCopied(label: String, argument: String, part: String) throws {
            let storage = label == "in" ? "" : "in: .media, "
            let declaration = "@StoredImage(\(storage)\(label): \(argument)) var file: StorageImage? = nil"
            let start = try #require(declaration.firstRange(of: "\(label): "))
            let place = try #require(declaration[start.upperBound...].firstRange(of: part))
            let column = 5 + declaration.distance(from: declaration.startIndex, to: place.lowerBound)
            RefusedSource.photo(argument, declaration, ExpectedMessage(4, column, notStatic(label, part))).verify()
        }

        private func notStatic(_ label: String, _ part: String) -> String {
            let wrapper = part == "media" ? "StoredFile" : "StoredImage"
            return "@\(wrapper) takes literals and static members, because @Model copies its arguments into a static "
                + "description of the field; in '\(label):' it cannot copy '\(part)'"
        }
    }
#endif
