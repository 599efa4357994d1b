import Foundation
import Testing

@testable import StoragesS3

@Suite("The documentation of StoragesS3")
struct DocumentationTests {
    private static let package = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    private static func text(_ path: String) throws -> String {
        try String(contentsOf: package.appendingPathComponent(path), encoding: .utf8)
    }

    private static func article(_ name: String) throws -> String {
        try text("Sources/StoragesS3/StoragesS3.docc/\(name).md")
    }

    @Test("Every S3 option is in the table of the documentation")
    func options() throws {
        let table = try Self.article("Options")
        let names = Mirror(reflecting: S3Options()).children.compactMap(\.label)
        #expect(names.count > 25)
        for name in names { #expect(table.contains("``S3Options/\(name)``"), "\(name)") }
    }

    @Test("The mirror of the S3 options has every option that is declared")
    func mirror() throws {
        let source = try Self.text("Sources/StoragesS3/S3Options.swift")
        let names = source.split(separator: "\n").compactMap { line in
            line.hasPrefix("    public var ") ? line.dropFirst(15).prefix { $0 != " " && $0 != ":" } : nil
        }
        #expect(names.map(String.init) == Mirror(reflecting: S3Options()).children.compactMap(\.label))
    }

    @Test("The documentation shows how to use the service of docker-compose.yml")
    func compose() throws {
        let compose = try Self.text("docker-compose.yml")
        let article = try Self.article("Servers")
        let section = try #require(article.components(separatedBy: "### SeaweedFS").last)
        for (variable, argument) in [
            ("S3_ENDPOINT", "endpointURL"), ("S3_BUCKET", "bucketName"), ("AWS_ACCESS_KEY_ID", "accessKeyID"),
            ("AWS_SECRET_ACCESS_KEY", "secretAccessKey"), ("AWS_REGION", "region"),
        ] {
            let line = try #require(compose.split(separator: "\n").first { $0.contains("export \(variable)=") })
            let value = try #require(line.split(separator: "'").dropFirst().first)
            #expect(section.contains("\(argument): \"\(value)\""), "\(variable)")
        }
    }
}
