#if Macros
    import SwiftSyntax
    import SwiftSyntaxBuilder
    import Testing

    @testable import StoredFilesMacros

    @Suite struct StaticExpressionTests {
        @Test(
            "Literals and static members can be copied into a static description",
            arguments: [
                "1", "-1", "1.5", "true", "nil", "\"text\"", "#\"raw \"text\"\"#", "[]", "[1, 2]", "[:]", "[\"a\": .b]",
                "(1, .a)",
                ".media", "StorageID.media", "Storages.StorageID.media", ".some(.media)", "StorageID(\"x\")",
                ".init(\"x\")",
                "5 * 1024 * 1024", "5 << 20", "1...100", "..<4", "1...", "Optional<Int>.none", ".megabytes(5)",
                ".fit(320, 320)",
                "ImageRules(formats: [.jpeg, .png], maxPixels: 40_000_000, aspect: 0.5...2)", "`Default`.value",
                "_Limits.small",
            ]
        )
        func copiesLiteralsAndStaticMembers(source: String) {
            #expect(StaticExpression.offender(in: expression(source), allowsClosures: false) == nil)
        }

        @Test(
            "Closures can be copied only where they are allowed",
            arguments: [
                "{ $0 }", ".folder { $0 + suffix }", ".folder({ name in name })", "StoredPath.folder { _ in \"x\" }",
            ]
        )
        func copiesClosuresWhereTheyAreAllowed(source: String) {
            #expect(StaticExpression.offender(in: expression(source), allowsClosures: true) == nil)
            #expect(StaticExpression.offender(in: expression(source), allowsClosures: false) != nil)
        }

        @Test(
            "The part of an expression that cannot be copied is found",
            arguments: [
                ("name", "name"), ("a.b", "a"), ("make()", "make"), ("\"\\(x)\"", "\"\\(x)\""), ("[1, x]", "x"),
                ("[1: x]", "x"),
                ("(1, x)", "x"), ("1 + x", "x"), ("-x", "x"), ("T(x)", "x"), (".a(.b(x))", "x"), ("x as Int", "x"),
                ("Type.member!", "Type.member!"), ("#line", "#line"), ("\\.path", "\\.path"),
                ("await T()", "await T()"),
                ("array[0]", "array[0]"), (".a(x) { 1 }", "x"),
            ]
        )
        func findsThePartThatCannotBeCopied(source: String, part: String) {
            let offender = StaticExpression.offender(in: expression(source), allowsClosures: true)
            #expect(offender?.trimmedDescription == part)
        }

        private func expression(_ source: String) -> ExprSyntax { "\(raw: source)" }
    }
#endif
